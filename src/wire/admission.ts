/**
 * Places for connections, for requests in flight and for the body bytes they hold, counted in all and by
 * source. Where a limit is reached, whoever needs a place least loses it: new work is refused only when
 * everything else is at work too.
 * @module
 */
import { createLedger, slowestOf, spares, type Body, type DropReason } from './held.ts'
import type { Endable, Held, Ledger, Spare } from './held.ts'
import type { ListenLimits } from './limits.ts'

/** A place for one request; given back once, when its handler has ended. */
export interface RequestPlace {
  /** Counts body bytes; false when there is no room, and nothing is counted. */
  readonly hold: (bytes: number) => boolean
  /** The body is whole: from here on the place is not taken away. */
  readonly bodyIsIn: () => void
  readonly leave: () => void
}

/** A place for one connection. */
export interface ConnectionPlace extends Endable {
  /** Says whose it is, once that is known; false when that source has no room. */
  readonly belongTo: (source: string) => boolean
  /** A request is on its way. */
  readonly busy: () => void
  /** Its last answer is out. */
  readonly idle: () => void
  /** It is open only so that its client can read why it was refused. */
  readonly refused: () => void
  readonly leave: () => void
}

export interface Admission {
  /**
   * Undefined when there is no room for another connection.
   * @param source undefined when it is not known yet or is a proxy: only the total is limited then
   * @param drop closes the connection
   */
  readonly connect: (source: string | undefined, drop: () => void) => ConnectionPlace | undefined
  /**
   * Undefined when there is no room for another request.
   * @param request `drop` is called at most once, when the place was taken away before the body was in
   */
  readonly begin: (
    source: string,
    request: Pick<Body, 'connection' | 'isWhole' | 'drop'>,
  ) => RequestPlace | undefined
  /** Drops bodies that come below the minimum rate. To be called again and again. */
  readonly dropSlowBodies: () => void
  /** Resolves when no request is in flight. */
  readonly idle: () => Promise<void>
}

type Now = () => number

/** @param now milliseconds from any start */
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
  /** Ends a connection that nobody needs, or the one with the slowest body. */
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
        if (kind !== undefined) held?.spare[kind].delete(place)
        if (next !== undefined && open) held?.spare[next].add(place)
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
    const place: ConnectionPlace = {
      belongTo(given) {
        owner = { source: given, held: of(given) }
        owner.held.connections += 1
        // It is in no set meanwhile, so that it does not make room by its own end.
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
    if (!full && (source === undefined || place.belongTo(source))) return place
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
  /** Drops slow bodies until `lacking` names nobody; false when only `own` could be dropped, or none. */
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
    if (!makeRoom(() => withoutPlace(holders, limits), body)) {
      leave()
      return undefined
    }
    total.bodies.add(body)
    held.bodies.add(body)
    leaves.set(body, leave)
    return {
      hold(bytes) {
        if (!leaves.has(body)) return false
        if (!makeRoom(() => withoutRoom(holders, bytes, limits), body)) return false
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

/** Who holds more requests than may be. */
function withoutPlace({ total, held }: Holders, limits: ListenLimits): Held | undefined {
  if (total.requests > limits.requestsMax) return total
  return held.requests > limits.requestsPerSourceMax ? held : undefined
}

/** Who would hold more bytes than may be. */
function withoutRoom(
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
