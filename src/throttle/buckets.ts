/**
 * Token buckets that the threads of a process share. Of a bucket that several nodes share, each node has
 * a part (`shares.ts`).
 *
 * INVARIANT (one draw at a time): the buckets are read and written under one lock, held for about a
 * microsecond. So no two threads take the same token, and a draw on several buckets takes from all of
 * them or from none.
 * @module
 */
import { bucketTable, tableBytes, type Bucket, type BucketTable } from './bucket-table.ts'
import { lockWords, sharedLock } from '../threads/shared-lock.ts'
import { nodePart, partBytes } from './node-part.ts'

export interface Draw {
  readonly bucket: string
  /** Requests a second. A bucket holds one second's worth, but at least one request. */
  readonly rate: number
  /** The bucket's capacity, if it is not one second's worth. */
  readonly capacity?: number
  readonly count: number
  /** Each node has the whole bucket for itself. */
  readonly ofNode?: true
}

export interface Buckets {
  /**
   * Draws from all buckets or from none, and returns whether it did. A full table refuses new buckets.
   */
  draw(draws: readonly Draw[]): boolean
  /** The number of requests that could follow one another at once on this node. */
  available(of: Omit<Draw, 'count'>): number
}

/** The parts that this node has of shared buckets. */
export interface BucketParts {
  /** The buckets that were asked since the last call, and those of which this node has a share. */
  takeAsked(): ReadonlyMap<string, { readonly asked: number; readonly share: number }>
  /** @param shares by bucket, as `takeAsked` names them; this node has none of the others */
  set(of: PartsOfNode): void
}

/** Parts are fractions from 0 to 1. */
export interface PartsOfNode {
  /** What this node has of every bucket. */
  readonly floor: number
  readonly shares: ReadonlyMap<string, number>
  /** From then on this node has nothing. Milliseconds of both clocks, whichever comes first. */
  readonly until: { readonly monotonic: number; readonly system: number }
  /** No other node has drawn on any bucket: all of them are full. */
  readonly areFull?: boolean
}

/** An account uses about seventy buckets in each Region that it calls. */
const slotsDefault = 65_536
const lockBytes = lockWords * Int32Array.BYTES_PER_ELEMENT

/** Memory for buckets that are all full, and that this node does not share. */
export function bucketMemory(slots = slotsDefault): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(lockBytes + partBytes + tableBytes(slots))
  nodePart(memory, lockBytes).set({
    part: 1,
    until: { monotonic: Infinity, system: Infinity },
    before: { part: 1, until: 0 },
  })
  return memory
}

/** Milliseconds of a clock that nobody can set, the same in every thread of the process. */
export function processMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** A rate below one a second still lets one request through at a time. */
export function capacityOf(rate: number): number {
  return Math.max(1, rate)
}

export interface BucketOptions {
  /** Milliseconds since the epoch. It bounds what a suspended machine believes to have. */
  readonly system?: () => number
  /** After this time a thread that holds the lock counts as dead. */
  readonly lockHeldMsMax?: number
}

/**
 * @param memory from `bucketMemory`, shared by all threads that draw on the same buckets
 * @param monotonic milliseconds of a clock that these threads share and that never goes back
 */
export function createBuckets(
  memory: SharedArrayBuffer,
  monotonic: () => number,
  { system = () => 0, lockHeldMsMax }: BucketOptions = {},
): Buckets & BucketParts {
  const locked = sharedLock(new Int32Array(memory, 0, lockWords), lockHeldMsMax)
  const table = bucketTable(memory, lockBytes + partBytes)
  const part = nodePart(memory, lockBytes)
  /** Returns the bucket as it was before the draw; undefined when it has too few tokens. */
  const take = (draw: Draw, now: number, floor: number): Bucket | undefined => {
    const found = table.findOrMake(draw.bucket, now)
    if (found === undefined) return undefined
    const bucket = counted(boundOf(found, draw), draw)
    const isNew = found.rate === 0
    const before = isNew ? filled(bucket, firstTokens(bucket, floor, now), floor, now) : bucket
    const tokens = tokensOf(before, floor, now)
    const isEnough = tokens >= draw.count
    table.write(isEnough ? filled(bucket, tokens - draw.count, floor, now) : before)
    return isEnough ? before : undefined
  }
  /**
   * What a bucket holds that was never used here, or was full. If this node has more of it than before,
   * other nodes may have drawn on that.
   */
  const firstTokens = (bucket: Bucket, floor: number, now: number): number => {
    const before = part.before()
    const { capacity } = ownOf(bucket, before.part)
    const tokens = bucket.asked < 0 ? bucket.capacity : Math.max(1, capacity)
    const fullAt = Infinity
    return tokensOf({ ...bucket, tokens, filledAt: before.until, fullAt }, floor, now)
  }
  return {
    draw: (draws) =>
      locked(() => {
        const now = monotonic()
        const floor = part.at(now, system())
        const drawn: Bucket[] = []
        for (const each of draws) {
          const before = take(each, now, floor)
          if (before === undefined) {
            for (const bucket of drawn.toReversed()) table.write(bucket)
            return false
          }
          drawn.push(before)
        }
        return true
      }),
    available: (of) =>
      locked(() => {
        const now = monotonic()
        const floor = part.at(now, system())
        const known = table.find(of.bucket)
        const bucket = boundOf(known ?? unknown, of)
        return Math.floor((known ? tokensOf : firstTokens)(bucket, floor, now))
      }),
    takeAsked: () => locked(() => takeAsked(table)),
    set: ({ floor, shares, until, areFull }) =>
      locked(() => {
        const now = monotonic()
        const was = part.at(now, system())
        const isMore = floor > was
        const before = areFull ? { part: 1, until: 0 } : { part: Math.max(0, was), until: now }
        part.set({ part: floor, until, before: isMore || areFull ? before : part.before() })
        const give = (id: string, bucket: Bucket): void => {
          const share = shares.get(id) ?? 0
          if (bucket.asked < 0 || (share === bucket.share && floor === was)) return
          table.write(filled({ ...bucket, share }, tokensOf(bucket, was, now), floor, now))
        }
        for (const [id, bucket] of changing(table, shares, floor === was)) give(id, bucket)
      }),
  }
}

/** A bucket that is not in the table: full, and without a share. */
const unknown = {
  slot: 0,
  tokens: 0,
  filledAt: 0,
  fullAt: 0,
  rate: 0,
  capacity: 0,
  share: 0,
  asked: 0,
}

/** The bucket with the rate and the capacity of a draw. */
function boundOf(
  bucket: Bucket,
  { rate, capacity = capacityOf(rate), ofNode }: Omit<Draw, 'count'>,
): Bucket {
  return { ...bucket, rate, capacity, ...(ofNode && { asked: -1 }) }
}

/** Counts the request, whatever its outcome. */
function counted(bucket: Bucket, { count, ofNode }: Draw): Bucket {
  return ofNode ? bucket : { ...bucket, asked: bucket.asked + count }
}

function filled(bucket: Bucket, tokens: number, floor: number, now: number): Bucket {
  const { rate, capacity } = ownOf(bucket, floor)
  const lacking = capacity - tokens
  const fullAt = lacking <= 0 ? now : now + (lacking / rate) * 1000
  return { ...bucket, tokens, filledAt: now, fullAt }
}

function tokensOf(bucket: Bucket, floor: number, now: number): number {
  const { rate, capacity } = ownOf(bucket, floor)
  if (bucket.fullAt <= now) return capacity
  return Math.min(capacity, bucket.tokens + ((now - bucket.filledAt) / 1000) * rate)
}

/** This node's part of the bucket. A node that has any part lets one request through at a time. */
function ownOf(
  { rate, capacity, share, asked }: Bucket,
  floor: number,
): { readonly rate: number; readonly capacity: number } {
  const part = asked < 0 ? 1 : Math.max(0, Math.min(1, floor + share))
  if (part === 1) return { rate, capacity }
  return { rate: rate * part, capacity: part === 0 ? 0 : Math.max(1, capacity * part) }
}

/** The buckets that may change: all only if the part of every bucket does, when a node comes or goes. */
function* changing(
  table: BucketTable,
  shares: ReadonlyMap<string, number>,
  isSameFloor: boolean,
): Iterable<readonly [id: string, Bucket]> {
  yield* isSameFloor ? table.busy() : table.all()
  for (const id of shares.keys()) {
    const bucket = table.findId(id)
    if (bucket !== undefined) yield [id, bucket]
  }
}

function takeAsked(table: BucketTable): ReturnType<BucketParts['takeAsked']> {
  const taken = new Map<string, { readonly asked: number; readonly share: number }>()
  for (const [id, bucket] of table.busy()) {
    const { asked, share } = bucket
    taken.set(id, { asked, share })
    if (asked > 0) table.write({ ...bucket, asked: 0 })
  }
  return taken
}
