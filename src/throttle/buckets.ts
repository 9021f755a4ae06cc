/**
 * Token buckets that the threads of a process share.
 *
 * INVARIANT (one draw at a time): the buckets are read and written under one lock, held for about a
 * microsecond. So no two threads take the same token, and a draw on several buckets takes from all of
 * them or from none.
 * @module
 */
import { bucketTable, tableBytes, type Bucket } from './bucket-table.ts'
import { lockWords, sharedLock } from '../threads/shared-lock.ts'

export interface Draw {
  readonly bucket: string
  /** Requests a second. A bucket holds one second's worth, but at least one request. */
  readonly rate: number
  /** The bucket's capacity, if it is not one second's worth. */
  readonly capacity?: number
  readonly count: number
}

export interface Buckets {
  /**
   * Draws from all buckets or from none, and returns whether it did. A full table refuses new buckets.
   */
  draw(draws: readonly Draw[]): boolean
  /** The number of requests that could follow one another at once. */
  available(of: Omit<Draw, 'count'>): number
}

/** An account uses about seventy buckets in each Region that it calls. */
const slotsDefault = 65_536
const lockBytes = lockWords * Int32Array.BYTES_PER_ELEMENT

/** Memory for buckets that are all full. */
export function bucketMemory(slots = slotsDefault): SharedArrayBuffer {
  return new SharedArrayBuffer(lockBytes + tableBytes(slots))
}

/** Milliseconds of a clock that nobody can set, the same in every thread of the process. */
export function processMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** A rate below one a second still lets one request through at a time. */
export function capacityOf(rate: number): number {
  return Math.max(1, rate)
}

/**
 * @param memory from `bucketMemory`, shared by all threads that draw on the same buckets
 * @param monotonic milliseconds of a clock that these threads share and that never goes back
 * @param lockHeldMsMax after which a thread that holds the lock counts as dead
 */
export function createBuckets(
  memory: SharedArrayBuffer,
  monotonic: () => number,
  lockHeldMsMax?: number,
): Buckets {
  const locked = sharedLock(new Int32Array(memory, 0, lockWords), lockHeldMsMax)
  const table = bucketTable(memory, lockBytes)
  /** Returns the bucket as it was before the draw; undefined when it has too few tokens. */
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
