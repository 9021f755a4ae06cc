/** What was asked of KMS, and what became of its keys: the figures of usage and metrics. @module */

/** One audit record of KMS, as it is counted. */
export interface CountedCall {
  /** Whose record it is. */
  readonly accountId: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly time: number
  /** With the spec of the pair behind it, for those that make pairs: `GenerateDataKeyPair RSA_2048`. */
  readonly operation: string
  /** The keys that it is about: for ReEncrypt the one that opens and the one that seals. */
  readonly keyArns: readonly string[]
  /** False for what the service did of itself. */
  readonly request: boolean
  /** The caller is of the account whose record it is: of a call across accounts each has a record. */
  readonly own: boolean
  readonly succeeded: boolean
  readonly turns: readonly KeyTurn[]
}

/** A turn in a key's life. */
export interface KeyTurn {
  readonly keyArn: string
  /** A key state, `Deleted`, or `Rotated`. */
  readonly state: string
  /** Known of a key that was made. */
  readonly spec?: string
  readonly manager?: string
}

/** How often an operation was called on the same keys within one period. */
export interface RequestCount {
  readonly accountId: string
  readonly region: string
  /** With spaces between; empty for what is about no key. */
  readonly keyArns: string
  readonly operation: string
  readonly own: boolean
  /** Milliseconds since the epoch: a whole number of periods. */
  readonly start: number
  readonly succeeded: number
  readonly failed: number
}

export type CountPeriod = 'minute' | 'hour' | 'month'

const dayMs = 86_400_000

/**
 * Periods in UTC: where the one that holds a time begins, where the next one does, and how long its figures
 * are kept. Minutes for 15 days and hours for 455, as CloudWatch keeps them; months for ten years.
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

/** Adds up what counts as requests, by period. */
export function requestCounts(
  calls: readonly CountedCall[],
  period: CountPeriod,
): readonly RequestCount[] {
  const { startOf } = countPeriods[period]
  const counts = new Map<string, RequestCount>()
  for (const { accountId, region, time, operation, own, succeeded, ...call } of calls) {
    if (!call.request) continue
    const start = startOf(time)
    const keyArns = call.keyArns.join(' ')
    const name = [accountId, region, keyArns, operation, own, start].join('|')
    const known = counts.get(name) ?? { succeeded: 0, failed: 0 }
    counts.set(name, {
      accountId,
      region,
      keyArns,
      operation,
      own,
      start,
      succeeded: known.succeeded + (succeeded ? 1 : 0),
      failed: known.failed + (succeeded ? 0 : 1),
    })
  }
  return [...counts.values()]
}

/** A turn of a key as it is kept. */
export interface KeptTurn extends KeyTurn {
  readonly accountId: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly at: number
}
