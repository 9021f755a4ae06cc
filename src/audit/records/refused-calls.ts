/**
 * How many records refused calls leave: each has its own up to a rate of its caller's access key. Beyond it
 * one record counts many, so that a caller without any permission does not fill the disk.
 *
 * INVARIANT (audit-before-respond): a call that is counted is answered when the record that counts it is
 * durable. It waits for that some tenths of a second for each worker, which slows down whoever does nothing
 * but fail.
 * @module
 */
import type { Caller } from '../../model/caller.ts'
import type { Buckets } from '../../throttle/buckets.ts'
import { auditRecord, type Audited } from './record.ts'

export interface RefusedCalls {
  /** Whether one more refused call of the caller has a record of its own. */
  hasOwnRecord(caller: Caller): boolean
  /** Counts a call without one; resolves when the record that counts it is durable. */
  count(refused: Audited): Promise<void>
}

export interface RefusedCallsPorts {
  readonly buckets: Pick<Buckets, 'draw'>
  /** Records a second of one access key. */
  readonly perSecond: number
  /** How many workers write such records, each for the calls that it refuses. */
  readonly workers: number
  readonly append: (eventId: string, record: string) => Promise<void>
  readonly clock: { readonly now: () => number }
}

/** Seconds of calls that may come at once. */
const burstSeconds = 20
/** Kinds of calls that one record tells apart; the others are counted together. */
const kindsMax = 16

interface Group {
  readonly first: Audited
  readonly counts: Map<string, Kind>
  total: number
  readonly written: PromiseWithResolvers<void>
}

interface Kind {
  readonly eventSource: string
  readonly eventName: string
  readonly errorCode: string
  count: number
}

export function createRefusedCalls(ports: RefusedCallsPorts): RefusedCalls {
  const { buckets, perSecond: rate, workers, append, clock } = ports
  // Bounded by the calls in flight: each of them waits for its group.
  const groups = new Map<string, Group>()

  const write = (name: string, group: Group): void => {
    groups.delete(name)
    const { first, total, counts, written } = group
    const since = first.time
    const refusals = { count: total, since, calls: [...counts.values()] }
    const record = auditRecord({ ...first, time: clock.now(), refusals })
    append(first.eventId, record).then(written.resolve, written.reject)
  }
  const begin = (name: string, first: Audited): Group => {
    const written = Promise.withResolvers<void>()
    const group = { first: withoutDetails(first), counts: new Map(), total: 0, written }
    groups.set(name, group)
    setTimeout(() => write(name, group), (1000 * workers) / rate)
    return group
  }
  return {
    hasOwnRecord(caller) {
      const name = nameOf(caller)
      if (name === undefined) return true
      const bucket = `refused/${name}`
      return buckets.draw([{ bucket, rate, capacity: burstSeconds * rate, count: 1 }])
    },
    count(refused) {
      const name = nameOf(refused.caller) ?? ''
      const group = groups.get(name) ?? begin(name, refused)
      group.total += 1
      countKind(group.counts, refused)
      return group.written.promise
    },
  }
}

/**
 * Sessions count as who is behind them, since anybody can ask for many, and subjects of tokens as their
 * provider. Undefined for operators and the test API.
 */
function nameOf({ kind, accessKeyId, session, issuer, arn }: Caller): string | undefined {
  if (kind === 'web-identity') return arn
  return session === undefined ? accessKeyId : (issuer?.principalId ?? accessKeyId)
}

/** What one call has asked for says nothing of the others. */
function withoutDetails(first: Audited): Audited {
  return {
    ...first,
    input: undefined,
    resources: [],
    reasons: [],
    keyEvents: [],
    grantId: undefined,
  }
}

function countKind(counts: Map<string, Kind>, { operation, outcome }: Audited): void {
  const errorCode = outcome.ok ? '' : outcome.code
  const eventSource = `${operation.service}.amazonaws.com`
  const known = `${eventSource} ${operation.name} ${errorCode}`
  const other = counts.size >= kindsMax && !counts.has(known)
  const name = other ? '' : known
  const kind = counts.get(name) ?? {
    ...(other
      ? { eventSource: 'others', eventName: 'others', errorCode: 'others' }
      : { eventSource, eventName: operation.name, errorCode }),
    count: 0,
  }
  kind.count += 1
  counts.set(name, kind)
}
