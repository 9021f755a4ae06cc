/** Counts of KMS requests and changes of key state, for usage reports and metrics. @module */

/** What metrics need to know of an audit record of KMS, without its time. */
export interface CountedFacts {
  /** The account that the record belongs to. */
  readonly accountId: string
  readonly region: string
  /** With the spec for operations that make key pairs: `GenerateDataKeyPair RSA_2048`. */
  readonly operation: string
  /** The keys of the call: for ReEncrypt, the source and the destination key. */
  readonly keyArns: readonly string[]
  /** False for events that the service caused itself. */
  readonly request: boolean
  /**
   * Whether the caller belongs to the record's account. A cross-account call has a record in each
   * account.
   */
  readonly own: boolean
  readonly succeeded: boolean
  readonly turns: readonly KeyTurn[]
}

/** One audit record of KMS, as metrics count it, or several alike within one minute. */
export interface CountedCall extends CountedFacts {
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Number of records; 1 if absent. */
  readonly count?: number
}

/** A change in a key's life. */
export interface KeyTurn {
  readonly keyArn: string
  /** A key state, `Deleted`, or `Rotated`. */
  readonly state: string
  /** Present for a key that was created. */
  readonly spec?: string
  readonly manager?: string
}

/** The number of calls of one operation on the same keys within one period. */
export interface RequestCount {
  readonly accountId: string
  readonly region: string
  /** Separated by spaces; empty if the call concerns no key. */
  readonly keyArns: string
  readonly operation: string
  readonly own: boolean
  /** Milliseconds since the epoch; a multiple of the period. */
  readonly start: number
  readonly succeeded: number
  readonly failed: number
}

export type CountPeriod = 'minute' | 'hour' | 'month'

const dayMs = 86_400_000

/**
 * Periods in UTC: the start of the period that contains a time, the start of the next one, and how
 * long its counts are kept. Minutes are kept for 15 days and hours for 455 days, as in CloudWatch;
 * months for ten years.
 */
export const countPeriods: Readonly<
  Record<
    CountPeriod,
    {
      readonly startOf: (time: number) => number
      readonly after: (start: number) => number
      readonly keptMs: number
    }
  >
> = {
  minute: { ...wholes(60_000), keptMs: 15 * dayMs },
  hour: { ...wholes(3_600_000), keptMs: 455 * dayMs },
  month: {
    startOf: (time) => monthFrom(time, 0),
    after: (start) => monthFrom(start, 1),
    keptMs: 3653 * dayMs,
  },
}
export const everyPeriod = ['minute', 'hour', 'month'] as const

function wholes(ms: number): {
  readonly startOf: (time: number) => number
  readonly after: (start: number) => number
} {
  return { startOf: (time) => Math.floor(time / ms) * ms, after: (start) => start + ms }
}

function monthFrom(time: number, later: number): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later)
}

/** Sums up the records that count as requests, by minute. */
export function minuteCounts(calls: readonly CountedCall[]): readonly RequestCount[] {
  return summed(
    calls.flatMap(({ request, time: start, keyArns, succeeded, count = 1, ...call }) => {
      if (!request) return []
      const outcome = { succeeded: succeeded ? count : 0, failed: succeeded ? 0 : count }
      return { ...call, ...outcome, keyArns: keyArns.join(' '), start }
    }),
    'minute',
  )
}

/** Sums up counts of shorter periods. */
export function summed(
  counts: readonly RequestCount[],
  period: CountPeriod,
): readonly RequestCount[] {
  const { startOf } = countPeriods[period]
  const sums = new Map<string, RequestCount>()
  for (const count of counts) {
    const { accountId, region, keyArns, operation, own } = count
    const start = startOf(count.start)
    const name = `${accountId}|${region}|${keyArns}|${operation}|${own}|${start}`
    const known = sums.get(name) ?? { succeeded: 0, failed: 0 }
    sums.set(name, {
      accountId,
      region,
      keyArns,
      operation,
      own,
      start,
      succeeded: known.succeeded + count.succeeded,
      failed: known.failed + count.failed,
    })
  }
  return [...sums.values()]
}

/** A change in a key's life, as stored. */
export interface KeptTurn extends KeyTurn {
  readonly accountId: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly at: number
}
