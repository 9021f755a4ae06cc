/**
 * Admission control: limits connections, requests in flight and buffered body bytes, in total and by
 * source. At a limit, the client that needs its slot least loses it: an idle connection, or the slowest
 * body. New work is refused only when everything else is active too.
 * @module
 */
import { createLedger, slowestOf, spares, type Body, type DropReason } from './held.ts'
import type { Endable, Held, Ledger, SpareKind } from './held.ts'
import type { ListenLimits } from './limits.ts'

/** The slot of one request. It is released once, when the handler has ended. */
export interface RequestSlot {
  /** Counts body bytes. False when they do not fit; nothing is counted then. */
  readonly hold: (bytes: number) => boolean
  /** The body is complete. The slot is not taken away from here on. */
  readonly bodyIsIn: () => void
  readonly leave: () => void
}

/** The slot of one connection. */
export interface ConnectionSlot extends Endable {
  /** Sets the connection's source once it is known. False when that source is at its limit. */
  readonly belongTo: (source: string) => boolean
  /** The TLS handshake is complete. */
  readonly secured: () => void
  /** A request is in progress. */
  readonly busy: () => void
  /** The last answer has been sent. */
  readonly idle: () => void
  /** The connection stays open only so that its client can read a refusal. */
  readonly refused: () => void
  readonly leave: () => void
}

/** The request that holds a slot. */
export interface Requester {
  readonly connection: Endable
  /** Called at most once, when the slot is taken away before the body is complete. */
  readonly drop: (reason: DropReason) => void
}

export interface Admission {
  /**
   * Undefined when another connection does not fit.
   * @param source undefined when it is not known yet or is a proxy: only the total is limited then
   * @param drop closes the connection
   * @param begins with a TLS handshake, or with a request
   */
  readonly connect: (
    source: string | undefined,
    drop: () => void,
    begins?: 'handshaking' | 'new',
  ) => ConnectionSlot | undefined
  /** Undefined when another request does not fit. */
  readonly begin: (source: string, request: Requester) => RequestSlot | undefined
  /** Drops bodies that arrive below the minimum rate. The caller calls it at intervals. */
  readonly dropSlowBodies: () => void
  /** Resolves when no request is in flight. */
  readonly idle: () => Promise<void>
}

type Now = () => number

/** @param now monotonic milliseconds */
export function createAdmission(
  limits: ListenLimits,
  now: Now = () => performance.now(),
): Admission {
  const ledger = createLedger()
  return {
    connect: connecting(limits, ledger, now),
    ...requesting(limits, ledger, now),
  }
}

function connecting(limits: ListenLimits, ledger: Ledger, now: Now): Admission['connect'] {
  return (source, drop, begins = 'new') => {
    const slot = new Connected(limits, ledger, now, drop)
    if (!slot.fits(begins) || (source !== undefined && !slot.belongTo(source))) {
      slot.leave()
      return undefined
    }
    if (source === undefined) slot.boundHandshakes()
    return slot
  }
}

class Connected implements ConnectionSlot {
  readonly #limits: ListenLimits
  readonly #ledger: Ledger
  readonly #now: Now
  readonly #drop: () => void
  #owner: Held | undefined
  #source = ''
  #kind: SpareKind | undefined
  #open = true

  constructor(limits: ListenLimits, ledger: Ledger, now: Now, drop: () => void) {
    this.#limits = limits
    this.#ledger = ledger
    this.#now = now
    this.#drop = drop
    ledger.total.connections += 1
  }

  /** False when all connections together are at their limit. */
  fits(begins: 'handshaking' | 'new'): boolean {
    if (this.#isFull(this.#ledger.total, this.#limits.connectionsMax)) return false
    this.#become(begins)
    return true
  }

  belongTo(source: string): boolean {
    const owner = this.#ledger.of(source)
    this.#owner = owner
    this.#source = source
    owner.connections += 1
    // The connection is in no set meanwhile, so that it cannot be ended to make room for itself.
    const before = this.#kind
    this.#become(undefined)
    if (this.#isFull(owner, this.#limits.connectionsPerSourceMax)) return false
    this.#become(before)
    this.boundHandshakes()
    return true
  }

  /** Its own source makes room first, so that one source does not end the handshakes of others. */
  boundHandshakes(): void {
    const { handshakesMax, handshakesPerSourceMax } = this.#limits
    if (this.#owner !== undefined) endOldestHandshake(this.#owner, handshakesPerSourceMax)
    endOldestHandshake(this.#ledger.total, handshakesMax)
  }

  secured(): void {
    this.#become('new')
  }

  busy(): void {
    this.#become(undefined)
  }

  idle(): void {
    this.#become('idle')
  }

  refused(): void {
    this.#become('refused')
  }

  leave(): void {
    if (!this.#open) return
    this.#open = false
    this.#become(undefined)
    this.#ledger.total.connections -= 1
    if (this.#owner === undefined) return
    this.#owner.connections -= 1
    this.#ledger.forgetUnused(this.#source)
  }

  end(): void {
    this.leave()
    this.#drop()
  }

  #become(next: SpareKind | undefined): void {
    const { total } = this.#ledger
    const owner = this.#owner
    if (this.#kind !== undefined) {
      total.spare[this.#kind].delete(this)
      owner?.spare[this.#kind].delete(this)
    }
    if (next !== undefined && this.#open) {
      total.spare[next].add(this)
      owner?.spare[next].add(this)
    }
    this.#kind = next
  }

  #isFull(held: Held, max: number): boolean {
    if (held.connections <= max) return false
    this.#endOneOf(held)
    return held.connections > max
  }

  /** Ends a spare connection or, without one, the connection with the slowest body. */
  #endOneOf(held: Held): void {
    const spare = spares.find((kind) => held.spare[kind].size > 0)
    const [first] = spare === undefined ? [] : held.spare[spare]
    const ended = first ?? slowestOf(held, this.#now())?.connection
    ended?.end()
  }
}

function endOldestHandshake({ spare: { handshaking } }: Held, max: number): void {
  const [oldest] = handshaking
  if (handshaking.size > max) oldest?.end()
}

function requesting(limits: ListenLimits, ledger: Ledger, now: Now): Omit<Admission, 'connect'> {
  const { total } = ledger
  let waiting: (() => void)[] = []
  const onIdle = (): void => {
    for (const wake of waiting) wake()
    waiting = []
  }
  const holding: Holding = { limits, ledger, now, onIdle }
  return {
    begin(source, request) {
      const slot = new Requested(source, request, holding)
      return slot.fits() ? slot : undefined
    },
    dropSlowBodies() {
      const at = now()
      for (const body of total.bodies) if (isTooSlow(body, at, limits)) body.give('too slow')
    },
    async idle() {
      if (total.requests > 0) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

interface Holding {
  readonly limits: ListenLimits
  readonly ledger: Ledger
  readonly now: Now
  /** No request is in flight any more. */
  readonly onIdle: () => void
}

class Requested implements RequestSlot, Body {
  readonly since: number
  bytes = 0
  readonly #source: string
  readonly #held: Held
  readonly #request: Requester
  readonly #holding: Holding
  /** The slot can be taken away: the body is not complete. */
  #reading = true
  #left = false

  constructor(source: string, request: Requester, holding: Holding) {
    this.since = holding.now()
    this.#source = source
    this.#held = holding.ledger.of(source)
    this.#request = request
    this.#holding = holding
    holding.ledger.total.requests += 1
    this.#held.requests += 1
  }

  get connection(): Endable {
    return this.#request.connection
  }

  /** False when the request does not fit: the slot is released then. */
  fits(): boolean {
    const { limits, ledger } = this.#holding
    const held = this.#held
    if (!this.#makeRoom(() => overRequests(ledger.total, held, limits))) {
      this.leave()
      return false
    }
    ledger.total.bodies.add(this)
    held.bodies.add(this)
    return true
  }

  hold(bytes: number): boolean {
    if (!this.#reading) return false
    const { limits, ledger } = this.#holding
    const held = this.#held
    if (!this.#makeRoom(() => overBytes(ledger.total, held, bytes, limits))) return false
    this.bytes += bytes
    ledger.total.bodyBytes += bytes
    held.bodyBytes += bytes
    return true
  }

  bodyIsIn(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#holding.ledger.total.bodies.delete(this)
    this.#held.bodies.delete(this)
  }

  leave(): void {
    if (this.#left) return
    this.#left = true
    this.bodyIsIn()
    const { ledger, onIdle } = this.#holding
    const { total } = ledger
    total.requests -= 1
    total.bodyBytes -= this.bytes
    this.#held.requests -= 1
    this.#held.bodyBytes -= this.bytes
    ledger.forgetUnused(this.#source)
    if (total.requests === 0) onIdle()
  }

  give(reason: DropReason): void {
    this.leave()
    this.#request.drop(reason)
  }

  /** Drops slow bodies until `lacking` returns undefined. False when no other body is left to drop. */
  #makeRoom(lacking: () => Held | undefined): boolean {
    for (let held = lacking(); held !== undefined; held = lacking()) {
      const slowest = slowestOf(held, this.#holding.now())
      if (slowest === undefined || slowest === this) return false
      slowest.give('dropped')
    }
    return true
  }
}

function isTooSlow(body: Body, now: number, limits: ListenLimits): boolean {
  const elapsed = now - body.since
  if (elapsed < limits.bodyGraceMs) return false
  return body.bytes * 1000 < limits.bodyBytesPerSecondMin * elapsed
}

/** The holder that exceeds its number of requests. */
function overRequests(total: Held, held: Held, limits: ListenLimits): Held | undefined {
  if (total.requests > limits.requestsMax) return total
  return held.requests > limits.requestsPerSourceMax ? held : undefined
}

/** The holder that would exceed its number of bytes. */
function overBytes(total: Held, held: Held, bytes: number, limits: ListenLimits): Held | undefined {
  if (total.bodyBytes + bytes > limits.bodyBytesHeldMax) return total
  return held.bodyBytes + bytes > limits.bodyBytesHeldPerSourceMax ? held : undefined
}
