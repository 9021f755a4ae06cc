/**
 * The table of token buckets: an open-addressed hash table of fixed size, in memory that threads share.
 * The caller holds the lock (`threads/shared-lock.ts`).
 *
 * INVARIANT (nothing is forgotten early): a bucket that is not full keeps its slot. A full bucket holds
 * no information, so its slot may be reused.
 * @module
 */
import { createHash } from 'node:crypto'

export interface Bucket {
  readonly slot: number
  readonly tokens: number
  /** Milliseconds of the monotonic clock. */
  readonly filledAt: number
  /** The time at which it is full again; from then on `tokens` has no meaning. */
  readonly fullAt: number
  /** Requests a second and capacity of the whole bucket, over all nodes. */
  readonly rate: number
  readonly capacity: number
  /** This node's part of both, from 0 to 1, besides the part that it has of every bucket. */
  readonly share: number
  /** Requests since the last count, refused ones included. -1 for a bucket that nodes do not share. */
  readonly asked: number
}

export interface BucketTable {
  find(name: string): Bucket | undefined
  /** The named bucket, or a full one in a free slot; undefined when there is no free slot. */
  findOrMake(name: string, now: number): Bucket | undefined
  write(bucket: Bucket): void
  /** Every bucket that was ever used, by its name in `idOf`. */
  all(): Iterable<readonly [id: string, Bucket]>
  /** Those that have a share, or were asked since the last count. */
  busy(): Iterable<readonly [id: string, Bucket]>
  /** The name of a bucket outside this process: the hash by which the table knows it. */
  idOf(name: string): string
  findId(id: string): Bucket | undefined
}

/** A slot holds two words of the name's hash, and the numbers of a bucket. */
const slotWords = 2
const slotNumbers = 7
const slotBytes =
  slotWords * Uint32Array.BYTES_PER_ELEMENT + slotNumbers * Float64Array.BYTES_PER_ELEMENT
/** A bucket lies within this many slots of its hash, or is not in the table. */
const probesMax = 64
/** The number of names whose hashes a thread caches. */
const knownMax = 10_000

export function tableBytes(slots: number): number {
  return slots * slotBytes
}

/** A bucket's hash, and the first slot of its search. */
interface Key {
  readonly first: number
  readonly high: number
  /** Never zero: zero marks a slot that was never used. */
  readonly low: number
}

/**
 * @param start where the table begins in the memory, a multiple of 8; the memory is all zeros at first
 */
export function bucketTable(memory: SharedArrayBuffer, start: number): BucketTable {
  const slots = Math.floor((memory.byteLength - start) / slotBytes)
  const numbers = new Float64Array(memory, start, slotNumbers * slots)
  const hashes = new Uint32Array(memory, start + numbers.byteLength, slotWords * slots)
  const keyOfHash = (high: number, low: number): Key => ({ first: high % slots, high, low })
  const keyOf = cachedKeys(keyOfHash)
  const read = (slot: number): Bucket => ({
    slot,
    tokens: numbers[slotNumbers * slot] ?? 0,
    filledAt: numbers[slotNumbers * slot + 1] ?? 0,
    fullAt: numbers[slotNumbers * slot + 2] ?? 0,
    rate: numbers[slotNumbers * slot + 3] ?? 0,
    capacity: numbers[slotNumbers * slot + 4] ?? 0,
    share: numbers[slotNumbers * slot + 5] ?? 0,
    asked: numbers[slotNumbers * slot + 6] ?? 0,
  })
  /** The bucket's slot, or else the first one that is free. */
  const search = ({ first, high, low }: Key, now: number): { at?: number; free?: number } => {
    let free: number | undefined
    for (let probe = 0; probe < Math.min(probesMax, slots); probe += 1) {
      const slot = (first + probe) % slots
      if (hashes[slotWords * slot] === high && hashes[slotWords * slot + 1] === low) {
        return { at: slot }
      }
      if (free === undefined && read(slot).fullAt <= now) free = slot
      // Buckets take the first free slot, so none lies behind a slot that was never used.
      if (hashes[slotWords * slot + 1] === 0) break
    }
    return free === undefined ? {} : { free }
  }
  const find = (key: Key): Bucket | undefined => {
    const { at } = search(key, 0)
    return at === undefined ? undefined : read(at)
  }
  const idAt = (slot: number): string =>
    idOfHash(hashes[slotWords * slot] ?? 0, hashes[slotWords * slot + 1] ?? 0)
  return {
    find: (name) => find(keyOf(name)),
    findId: (id) => find(keyOfHash(...hashOfId(id))),
    findOrMake(name, now) {
      const key = keyOf(name)
      const { at, free } = search(key, now)
      if (at !== undefined) return read(at)
      if (free === undefined) return undefined
      hashes.set([key.high, key.low], slotWords * free)
      numbers.fill(0, slotNumbers * free, slotNumbers * (free + 1))
      return read(free)
    },
    write({ slot, tokens, filledAt, fullAt, rate, capacity, share, asked }) {
      numbers.set([tokens, filledAt, fullAt, rate, capacity, share, asked], slotNumbers * slot)
    },
    *all() {
      for (let slot = 0; slot < slots; slot += 1) {
        if (hashes[slotWords * slot + 1] !== 0) yield [idAt(slot), read(slot)]
      }
    },
    *busy() {
      for (let slot = 0; slot < slots; slot += 1) {
        // The numbers alone: other threads wait for the lock.
        const share = numbers[slotNumbers * slot + 5] ?? 0
        const asked = numbers[slotNumbers * slot + 6] ?? 0
        if (share !== 0 || asked > 0) yield [idAt(slot), read(slot)]
      }
    },
    idOf(name) {
      const { high, low } = keyOf(name)
      return idOfHash(high, low)
    },
  }
}

/** Finds the key of a name. Hashing takes longer than the search. */
function cachedKeys(keyOfHash: (high: number, low: number) => Key): (name: string) => Key {
  const known = new Map<string, Key>()
  return (name) => {
    const cached = known.get(name)
    if (cached !== undefined) return cached
    if (known.size >= knownMax) known.clear()
    const hash = createHash('sha256').update(name).digest()
    const key = keyOfHash(hash.readUInt32LE(0), hash.readUInt32LE(4) || 1)
    known.set(name, key)
    return key
  }
}

function idOfHash(high: number, low: number): string {
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('')
}

function hashOfId(id: string): readonly [high: number, low: number] {
  return [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8), 16)]
}
