/**
 * Who may hold what: connections, requests in flight and the body bytes they hold, counted in all and
 * by source, so that one flood leaves room for everyone else.
 * @module
 */
import { isIPv6 } from 'node:net'
import type { ListenLimits } from './limits.ts'

/** A place for one request; given back once, when its handler has ended. */
export interface RequestPlace {
  /** Counts body bytes; false when there is no room, and nothing is counted. */
  readonly hold: (bytes: number) => boolean
  readonly leave: () => void
}

export interface Admission {
  /** The call that gives the place back, or undefined when there is none. */
  readonly connect: (source: string) => (() => void) | undefined
  readonly begin: (source: string) => RequestPlace | undefined
  /** Resolves when no request is in flight. */
  readonly idle: () => Promise<void>
}

interface Held {
  connections: number
  requests: number
  bodyBytes: number
}

export function createAdmission(limits: ListenLimits): Admission {
  const total: Held = { connections: 0, requests: 0, bodyBytes: 0 }
  // As many entries as there are connections and requests, no more.
  const sources = new Map<string, Held>()
  let waiting: (() => void)[] = []

  const heldBy = (source: string): Held => {
    const known = sources.get(source)
    if (known !== undefined) return known
    const held = { connections: 0, requests: 0, bodyBytes: 0 }
    sources.set(source, held)
    return held
  }
  const forgetUnused = (source: string, held: Held): void => {
    if (held.connections === 0 && held.requests === 0) sources.delete(source)
  }

  const connect = (source: string): (() => void) | undefined => {
    const held = heldBy(source)
    if (
      total.connections >= limits.connectionsMax ||
      held.connections >= limits.connectionsPerSourceMax
    ) {
      forgetUnused(source, held)
      return undefined
    }
    total.connections += 1
    held.connections += 1
    return () => {
      total.connections -= 1
      held.connections -= 1
      forgetUnused(source, held)
    }
  }

  const begin = (source: string): RequestPlace | undefined => {
    const held = heldBy(source)
    if (total.requests >= limits.requestsMax || held.requests >= limits.requestsPerSourceMax) {
      forgetUnused(source, held)
      return undefined
    }
    total.requests += 1
    held.requests += 1
    let bodyBytes = 0
    const hold = (bytes: number): boolean => {
      if (
        total.bodyBytes + bytes > limits.bodyBytesHeldMax ||
        held.bodyBytes + bytes > limits.bodyBytesHeldPerSourceMax
      ) {
        return false
      }
      bodyBytes += bytes
      total.bodyBytes += bytes
      held.bodyBytes += bytes
      return true
    }
    const leave = (): void => {
      total.requests -= 1
      held.requests -= 1
      total.bodyBytes -= bodyBytes
      held.bodyBytes -= bodyBytes
      forgetUnused(source, held)
      if (total.requests > 0) return
      for (const wake of waiting) wake()
      waiting = []
    }
    return { hold, leave }
  }

  const idle = async (): Promise<void> => {
    if (total.requests > 0) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { connect, begin, idle }
}

/** An address as it is compared and recorded: IPv4 that came over an IPv6 socket is IPv4. */
export function plainAddress(remoteAddress: string | undefined): string {
  const address = remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.')
    ? address.slice('::ffff:'.length)
    : address
}

/** What is counted as one: an IPv4 address, or the /64 that an IPv6 client can choose addresses in. */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return `${groups.slice(0, 4).join(':').toLowerCase()}::/64`
}
