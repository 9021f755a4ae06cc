/**
 * Token buckets that the threads of a process share.
 *
 * INVARIANT (one draw at a time): buckets are read and written under their lock, held for about a
 * microsecond, so that no two threads take the same token, and a draw on several buckets is one on all or
 * on none.
 * @module
 */
import { bucketTable, tableBytes, type Bucket } from './bucket-table.ts'
import { lockWords, sharedLock } from './shared-lock.ts'

export interface Draw {
  readonly bucket: string
  /** Requests a second: one second's worth fills the bucket, and one request at least. */
  readonly rate: number
  /** How many fill the bucket, where that is not one second's worth. */
  readonly capacity?: number
  readonly count: number
}

export interface Buckets {
  /** Answers whether it was drawn; never where there is no place for one more bucket that is not full. */
  draw(draws: readonly Draw[]): boolean
  /** How many requests could follow one another now. */
  available(of: Omit<Draw, 'count'>): number
}

/** An account has some seventy in each Region that it calls. */
const slotsDefault = 65_536
const lockBytes = lockWords * Int32Array.BYTES_PER_ELEMENT

/** Of buckets that are all full. */
export function bucketMemory(slots = slotsDefault): SharedArrayBuffer {
  return new SharedArrayBuffer(lockBytes + tableBytes(slots))
}

/** Milliseconds of a clock that nobody sets, and that is the same in every thread of the process. */
export function processMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** A rate below one a second still lets one request through at a time. */
export function capacityOf(rate: number): number {
  return Math.max(1, rate)
}

/**
 * @param memory what `bucketMemory` made, for all threads that draw on the same buckets
 * @param monotonic milliseconds of a clock that they have in common, and that never goes back
 */
export function createBuckets(memory: SharedArrayBuffer, monotonic: () => number): Buckets {
  const locked = sharedLock(new Int32Array(memory, 0, lockWords))
  const table = bucketTable(memory, lockBytes)
  /** Answers the bucket as it was; undefined when it was not drawn on. */
  const take = (
    { bucket: name, rate, capacity = capacityOf(rate), count }: Draw,
    now: number,
  ): Bucket | undefined => {
    const before = table.findOrMake(name, now)
    if (before === undefined) return undefined
    const tokens = tokensOf(before, rate, capacity, now) - count
    if (tokens < 0) return undefined
    const fullAt = now + ((capacity - tokens) / rate) * 1000
    table.write({ slot: before.slot, tokens, filledAt: now, fullAt })
    return before
  }
  return {
    draw: (draws) =>
      locked(() => {
        const now = monotonic()
        const drawn: Bucket[] = []
        for (const each of draws) {
          const before = take(each, now)
          if (before === undefined) {
            for (const bucket of drawn.toReversed()) table.write(bucket)
            return false
          }
          drawn.push(before)
        }
        return true
      }),
    available: ({ bucket: name, rate, capacity = capacityOf(rate) }) =>
      locked(() => {
        const bucket = table.find(name)
        return Math.floor(bucket ? tokensOf(bucket, rate, capacity, monotonic()) : capacity)
      }),
  }
}

function tokensOf(
  { tokens, filledAt, fullAt }: Bucket,
  rate: number,
  capacity: number,
  now: number,
): number {
  if (fullAt <= now) return capacity
  return Math.min(capacity, tokens + ((now - filledAt) / 1000) * rate)
}
