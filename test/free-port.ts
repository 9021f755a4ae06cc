/** A port of this machine that nobody listens on, for a program that has to be told one. @module */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

export async function freeLoopbackPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
