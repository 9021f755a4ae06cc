/**
 * Limits the number of records that refused calls leave. Each access key gets a record for each refused
 * call up to a rate; beyond it, one record counts many. So a caller without any permission cannot fill
 * the disk.
 *
 * INVARIANT (audit-before-respond): a counted call is answered only when the record that counts it is
 * durable. It waits a few tenths of a second for that, for each worker, which slows down a caller who does
 * nothing but fail.
 * @module
 */
import type { Caller } from '../../model/caller.ts'
import type { Buckets } from '../../throttle/buckets.ts'
import type { Audited } from './audited.ts'
import { accountOf, auditRecord } from './record.ts'

export interface RefusedCalls {
  /** Whether the caller's next refused call gets its own record. */
  hasOwnRecord(caller: Caller): boolean
  /**
   * Counts a call that gets no record of its own; resolves when the record that counts it is durable.
   */
  count(refused: Audited): Promise<void>
}

export interface RefusedCallsDependencies {
  readonly buckets: Pick<Buckets, 'draw'>
  /** Records a second for one access key. */
  readonly perSecond: number
  /** The number of workers; each writes records of the calls that it refuses. */
  readonly workers: number
  readonly append: (eventId: string, record: string) => Promise<void>
  readonly clock: { readonly now: () => number }
}

/** The burst, in seconds' worth of records. */
const burstSeconds = 20
/** The number of kinds of calls that one record lists; the others are counted together. */
const kindsMax = 16
/** The same for callers: sessions, source addresses and Regions. */
const callersMax = 8

interface Group {
  readonly first: Audited
  readonly calls: Map<string, Counted>
  readonly callers: Map<string, Counted>
  total: number
  readonly written: PromiseWithResolvers<void>
}

/** Calls or callers that are counted together, with their number. */
interface Counted {
  readonly of: Readonly<Record<string, string | undefined>>
  count: number
}

export function createRefusedCalls(dependencies: RefusedCallsDependencies): RefusedCalls {
  const { buckets, perSecond: rate, workers, append, clock } = dependencies
  // Bounded by the number of concurrent calls, because each call waits for its group.
  const groups = new Map<string, Group>()

  const write = (name: string, group: Group): void => {
    groups.delete(name)
    const { first, total, calls, callers, written } = group
    const refusals = {
      count: total,
      since: first.time,
      calls: listOf(calls),
      // The record names the caller of the first call. It must not hide the others.
      ...(callers.size > 1 && { callers: listOf(callers) }),
    }
    const { record } = auditRecord({ ...first, time: clock.now(), refusals })
    append(first.eventId, record).then(written.resolve, written.reject)
  }
  const begin = (name: string, first: Audited): Group => {
    const written = Promise.withResolvers<void>()
    const calls = new Map<string, Counted>()
    const callers = new Map<string, Counted>()
    const group = { first: withoutDetails(first), calls, callers, total: 0, written }
    groups.set(name, group)
    setTimeout(() => write(name, group), (1000 * workers) / rate)
    return group
  }
  return {
    hasOwnRecord(caller) {
      const name = nameOf(caller)
      if (name === undefined) return true
      const bucket = `refused/${name}`
      return buckets.draw([{ bucket, rate, capacity: burstSeconds * rate, count: 1, ofNode: true }])
    },
    count(refused) {
      // Grouped by account, because each account gets a record of its own calls.
      const name = `${nameOf(refused.caller) ?? ''} ${accountOf(refused)}`
      const group = groups.get(name) ?? begin(name, refused)
      group.total += 1
      countIn(group.calls, kindOf(refused), kindsMax)
      countIn(group.callers, callerOf(refused), callersMax)
      return group.written.promise
    },
  }
}

/**
 * The name of the caller for the rate. Anybody can open many sessions, so a session counts as the user
 * or role behind it, and a web identity as its provider. Undefined for operators and the test API,
 * which have no limit.
 */
function nameOf({ kind, accessKeyId, session, issuer, arn }: Caller): string | undefined {
  if (kind === 'web-identity') return arn
  return session === undefined ? accessKeyId : (issuer?.principalId ?? accessKeyId)
}

/** A group's record omits the details of its first call: they do not describe the others. */
function withoutDetails(first: Audited): Audited {
  return {
    ...first,
    // A service is of no account: without the resources, nothing else says whose record this is.
    ...(first.caller.service && { owner: accountOf(first) }),
    input: undefined,
    resources: [],
    reasons: [],
    keyEvents: [],
    grantId: undefined,
  }
}

function kindOf({ operation, outcome }: Audited): Counted['of'] {
  return {
    eventSource: `${operation.service}.amazonaws.com`,
    eventName: operation.name,
    errorCode: outcome.ok ? '' : outcome.code,
  }
}

function callerOf({ caller, sourceAddress, region }: Audited): Counted['of'] {
  const { uniqueId: principalId, accessKeyId } = caller
  return { principalId, accessKeyId, sourceIPAddress: sourceAddress, awsRegion: region }
}

/** Counts everything beyond `max` different entries together. */
function countIn(counts: Map<string, Counted>, given: Counted['of'], max: number): void {
  const known = JSON.stringify(given)
  const other = counts.size >= max && !counts.has(known)
  const name = other ? '' : known
  const of = other ? Object.fromEntries(Object.keys(given).map((each) => [each, 'others'])) : given
  const counted = counts.get(name) ?? { of, count: 0 }
  counted.count += 1
  counts.set(name, counted)
}

function listOf(counts: ReadonlyMap<string, Counted>): readonly object[] {
  return [...counts.values()].map(({ of, count }) => ({ ...of, count }))
}
