/** A TCP proxy that can lose what passes through it, in either direction. @module */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface FaultyProxy {
  readonly port: number
  /** Discards what the client sends from now on. Connections stay open. */
  loseRequests: () => void
  /** Discards what the server answers from now on. Connections stay open. */
  loseAnswers: () => void
  /**
   * Discards what the server answers after the client has sent this, and ends new connections.
   */
  loseAnswersOf: (sent: RegExp) => void
  /** Loses nothing of what is sent from now on. */
  heal: () => void
}

/** Closed when the test ends. */
export async function startProxy(t: TestContext, to: number): Promise<FaultyProxy> {
  let losesRequests = false
  let losesAnswers = false
  let lostWith: RegExp | undefined
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (losesAnswers) client.destroy()
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('data', (bytes) => {
      if (lostWith?.test(bytes.toString('latin1')) === true) losesAnswers = true
      if (!losesRequests) upstream.write(bytes)
    })
    upstream.on('data', (bytes) => losesAnswers || client.write(bytes))
    upstream.on('close', () => client.destroy())
    // Of a cut network, the other side learns nothing.
    client.on('close', () => losesRequests || upstream.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    loseRequests: () => (losesRequests = true),
    loseAnswers: () => (losesAnswers = true),
    loseAnswersOf: (sent) => (lostWith = sent),
    heal() {
      losesRequests = false
      losesAnswers = false
      lostWith = undefined
    },
  }
}
