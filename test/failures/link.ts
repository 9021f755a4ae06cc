/**
 * A network link that can be cut and slowed: a TCP proxy. While it is cut, bytes wait, as TCP keeps them for a
 * network that comes back. Neither side learns of anything.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Link {
  readonly port: number
  /** Holds everything that is sent from now on, in both directions, and new connections too. */
  cut: () => void
  /** Delays each piece by this many milliseconds. */
  slow: (delayMs: number) => void
  /** Delivers what waits, or ends all connections, as a firewall does that has forgotten them. */
  heal: (waiting: 'deliver' | 'drop') => void
  close: () => void
}

class TcpLink implements Link {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #to: number
  #isCut = false
  #delayMs = 0

  constructor(to: number) {
    this.#to = to
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    )
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link is closed')
    return address.port
  }

  cut(): void {
    this.#isCut = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  slow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  heal(waiting: 'deliver' | 'drop'): void {
    this.#delayMs = 0
    if (!this.#isCut) return
    this.#isCut = false
    for (const pair of this.#pairs) {
      for (const socket of pair) {
        if (waiting === 'drop') socket.destroy()
        else socket.resume()
      }
    }
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  #accept(client: Socket): void {
    const upstream = connect({ port: this.#to, host: '127.0.0.1', allowHalfOpen: true })
    upstream.setNoDelay(true)
    const pair = [client, upstream] as const
    this.#pairs.add(pair)
    this.#carry(client, upstream)
    this.#carry(upstream, client)
    const end = (): void => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    // Of an error on one side the other one learns only while there is a network.
    const fail = (): void => {
      if (!this.#isCut) end()
    }
    for (const socket of pair) socket.on('error', fail)
    for (const socket of pair) {
      socket.on('close', () => {
        if (pair.every(({ destroyed }) => destroyed)) this.#pairs.delete(pair)
        else if (!this.#isCut) end()
      })
    }
    if (this.#isCut) for (const socket of pair) socket.pause()
  }

  #carry(from: Socket, to: Socket): void {
    // Pieces must not overtake each other when a delay ends.
    let after = 0
    const deliver = (what: () => void): void => {
      const now = performance.now()
      if (this.#delayMs === 0 && after <= now) return what()
      after = Math.max(after, now + this.#delayMs)
      setTimeout(what, after - now)
    }
    from.on('data', (bytes) => deliver(() => to.destroyed || to.write(bytes)))
    from.on('end', () => deliver(() => to.destroyed || to.end()))
  }
}

/** @param to the port on this machine that the link leads to */
export async function openLink(to: number): Promise<Link> {
  const link = new TcpLink(to)
  await link.listen()
  return link
}
