/** A TCP proxy that can change what the client sends. @module */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/**
 * Closed when the test ends.
 * @param change gets the bytes as Latin-1, and returns those to send on
 * @returns the port
 */
export async function startChangingProxy(
  t: TestContext,
  to: number,
  change: (sent: string) => string,
): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.on('data', (bytes) => {
      const changed = change(bytes.toString('latin1'))
      if (changed !== '') upstream.write(Buffer.from(changed, 'latin1'))
    })
    upstream.pipe(client)
    client.on('close', () => upstream.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
