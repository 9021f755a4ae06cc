/**
 * Admission control: limits connections, requests in flight and buffered body bytes, in total and by
 * source. At a limit, the client that needs its slot least loses it: an idle connection, or the slowest
 * body. New work is refused only when everything else is active too.
 * @module
 */
import { createLedger, slowestOf, spares, type Body, type DropReason } from './held.ts'
import type { Endable, Held, Ledger, Spare } from './held.ts'
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
  /** A request is in progress. */
  readonly busy: () => void
  /** The last answer has been sent. */
  readonly idle: () => void
  /** The connection stays open only so that its client can read a refusal. */
  readonly refused: () => void
  readonly leave: () => void
}

export interface Admission {
  /**
   * Undefined when another connection does not fit.
   * @param source undefined when it is not known yet or is a proxy: only the total is limited then
   * @param drop closes the connection
   */
  readonly connect: (source: string | undefined, drop: () => void) => ConnectionSlot | undefined
  /**
   * Undefined when another request does not fit.
   * @param request `drop` is called at most once, when the slot is taken away before the body is
   *   complete
   */
  readonly begin: (
    source: string,
    request: Pick<Body, 'connection' | 'isWhole' | 'drop'>,
  ) => RequestSlot | undefined
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

function connecting(
  limits: ListenLimits,
  { total, of, forgetUnused }: Ledger,
  now: Now,
): Admission['connect'] {
  /** Ends a spare connection or, without one, the connection with the slowest body. */
  const endOneOf = (held: Held): void => {
    const spare = spares.find((kind) => held.spare[kind].size > 0)
    const [first] = spare === undefined ? [] : held.spare[spare]
    const ended = first ?? slowestOf(held, now())?.connection
    ended?.end()
  }
  const isFull = (held: Held, max: number): boolean => {
    if (held.connections <= max) return false
    endOneOf(held)
    return held.connections > max
  }
  return (source, drop) => {
    let owner: { readonly source: string; readonly held: Held } | undefined
    let kind: Spare | undefined
    let open = true
    const become = (next: Spare | undefined): void => {
      for (const held of [total, owner?.held]) {
        if (kind !== undefined) held?.spare[kind].delete(slot)
        if (next !== undefined && open) held?.spare[next].add(slot)
      }
      kind = next
    }
    const leave = (): void => {
      if (!open) return
      open = false
      become(undefined)
      total.connections -= 1
      if (owner === undefined) return
      owner.held.connections -= 1
      forgetUnused(owner.source)
    }
    const slot: ConnectionSlot = {
      belongTo(given) {
        owner = { source: given, held: of(given) }
        owner.held.connections += 1
        // The connection is in no set meanwhile, so that it cannot be ended to make room for itself.
        const before = kind
        become(undefined)
        if (isFull(owner.held, limits.connectionsPerSourceMax)) return false
        become(before)
        return true
      },
      busy: () => become(undefined),
      idle: () => become('idle'),
      refused: () => become('refused'),
      leave,
      end() {
        leave()
        drop()
      },
    }
    total.connections += 1
    const full = isFull(total, limits.connectionsMax)
    if (!full) become('new')
    if (!full && (source === undefined || slot.belongTo(source))) return slot
    leave()
    return undefined
  }
}

function requesting(
  limits: ListenLimits,
  { total, of, forgetUnused }: Ledger,
  now: Now,
): Omit<Admission, 'connect'> {
  const leaves = new Map<Body, () => void>()
  let waiting: (() => void)[] = []
  const give = (body: Body, reason: DropReason): void => {
    leaves.get(body)?.()
    body.drop(reason)
  }
  /**
   * Drops slow bodies until `lacking` returns undefined. False when no body but `own` is left to drop.
   */
  const makeRoom = (lacking: () => Held | undefined, own: Body): boolean => {
    for (let held = lacking(); held !== undefined; held = lacking()) {
      const slowest = slowestOf(held, now())
      if (slowest === undefined || slowest === own) return false
      give(slowest, 'dropped')
    }
    return true
  }
  const leaving = (body: Body, held: Held, source: string): (() => void) =>
    once(() => {
      leaves.delete(body)
      forgetBody(body, total, held)
      count({ total, held }, -1, -body.bytes)
      forgetUnused(source)
      if (total.requests > 0) return
      for (const wake of waiting) wake()
      waiting = []
    })
  const begin: Admission['begin'] = (source, request) => {
    const held = of(source)
    const body: Body = { ...request, since: now(), bytes: 0 }
    const leave = leaving(body, held, source)
    const holders = { total, held }
    count(holders, 1, 0)
    if (!makeRoom(() => overRequests(holders, limits), body)) {
      leave()
      return undefined
    }
    total.bodies.add(body)
    held.bodies.add(body)
    leaves.set(body, leave)
    return {
      hold(bytes) {
        if (!leaves.has(body)) return false
        if (!makeRoom(() => overBytes(holders, bytes, limits), body)) return false
        body.bytes += bytes
        count(holders, 0, bytes)
        return true
      },
      bodyIsIn() {
        leaves.delete(body)
        forgetBody(body, total, held)
      },
      leave,
    }
  }
  return {
    begin,
    dropSlowBodies() {
      const at = now()
      for (const body of total.bodies) if (isTooSlow(body, at, limits)) give(body, 'too slow')
    },
    async idle() {
      if (total.requests > 0) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

function isTooSlow(body: Body, now: number, limits: ListenLimits): boolean {
  const elapsed = now - body.since
  if (elapsed < limits.bodyGraceMs || body.isWhole()) return false
  return body.bytes * 1000 < limits.bodyBytesPerSecondMin * elapsed
}

interface Holders {
  readonly total: Held
  readonly held: Held
}

function count({ total, held }: Holders, requests: number, bytes: number): void {
  for (const each of [total, held]) {
    each.requests += requests
    each.bodyBytes += bytes
  }
}

function forgetBody(body: Body, ...from: readonly Held[]): void {
  for (const { bodies } of from) bodies.delete(body)
}

/** The holder that exceeds its number of requests. */
function overRequests({ total, held }: Holders, limits: ListenLimits): Held | undefined {
  if (total.requests > limits.requestsMax) return total
  return held.requests > limits.requestsPerSourceMax ? held : undefined
}

/** The holder that would exceed its number of bytes. */
function overBytes(
  { total, held }: Holders,
  bytes: number,
  limits: ListenLimits,
): Held | undefined {
  if (total.bodyBytes + bytes > limits.bodyBytesHeldMax) return total
  return held.bodyBytes + bytes > limits.bodyBytesHeldPerSourceMax ? held : undefined
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}
