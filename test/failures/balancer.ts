/**
 * A load balancer as it is found in front of nodes: it passes connections on, asks each node for its readiness, and
 * gives new connections to nodes that are ready. It knows nothing of HTTP calls and repeats none.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { NodeProcess } from './node-process.ts'

export interface Balancer {
  readonly url: string
  /** How often the balancer asks, in milliseconds. */
  readonly everyMs: number
  readonly ready: () => readonly NodeProcess[]
  readonly close: () => void
}

const everyMs = 200

export async function startBalancer(nodes: readonly NodeProcess[]): Promise<Balancer> {
  let ready: readonly NodeProcess[] = []
  let next = 0
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    next += 1
    const { url = '' } = ready[next % ready.length] ?? {}
    if (url === '') {
      client.destroy()
      return
    }
    const upstream = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroySoon()
        upstream.destroySoon()
      })
    }
    client.pipe(upstream)
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const look = async (): Promise<void> => {
    const states = await Promise.all(nodes.map((node) => node.readiness()))
    ready = nodes.filter((_, index) => states[index]?.['status'] === 'ready')
  }
  await look()
  let isClosed = false
  const again = async (): Promise<void> => {
    await look()
    if (!isClosed) timer = setTimeout(() => void again(), everyMs)
  }
  let timer = setTimeout(() => void again(), everyMs)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    everyMs,
    ready: () => ready,
    close() {
      isClosed = true
      clearTimeout(timer)
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
