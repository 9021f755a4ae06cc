/**
 * The connections to proxies, which are kept for the next call.
 *
 * INVARIANT (room for calls): accounts choose the hosts, and a host that many calls went to keeps many
 * connections. Those that wait for a call have a part of the places only, all together, and the oldest ends
 * for a new one. So they never keep a call to another host from its connection.
 * @module
 */
import type { ClientRequest } from 'node:http'
import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly toOneHost: number
  readonly toAllHosts: number
  /** Connections to one host on which nothing is sent. */
  readonly idleToOneHost: number
  readonly idleToAllHosts: number
  /** Milliseconds that they are kept. An account chooses the hosts, so it is not long. */
  readonly idleMs: number
}

const defaultLimits: ConnectionLimits = {
  toOneHost: 256,
  toAllHosts: 1024,
  idleToOneHost: 64,
  idleToAllHosts: 256,
  idleMs: 10_000,
}

export class ProxyAgent extends Agent {
  /** Oldest first. */
  readonly #idle = new Set<Duplex>()
  readonly #idleMax: number
  /** Connections that tell when they close. */
  readonly #followed = new WeakSet<Duplex>()

  constructor(limits: ConnectionLimits = defaultLimits) {
    super({
      keepAlive: true,
      maxSockets: limits.toOneHost,
      maxTotalSockets: limits.toAllHosts,
      maxFreeSockets: limits.idleToOneHost,
      timeout: limits.idleMs,
    })
    this.#idleMax = limits.idleToAllHosts
  }

  /** Node.js asks with a connection on which nothing is sent any more. */
  override keepSocketAlive(socket: Duplex): boolean {
    // Its type says nothing, and its documentation says so: false if the server is about to close it.
    const isKept: unknown = super.keepSocketAlive(socket)
    if (isKept === false) return false
    const [oldest] = this.#idle
    if (oldest !== undefined && this.#idle.size >= this.#idleMax) {
      this.#idle.delete(oldest)
      oldest.destroy()
    }
    this.#idle.add(socket)
    if (!this.#followed.has(socket)) socket.once('close', () => this.#idle.delete(socket))
    this.#followed.add(socket)
    return true
  }

  /** Node.js calls it with the next request for the connection. */
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.#idle.delete(socket)
    super.reuseSocket(socket, request)
  }
}
