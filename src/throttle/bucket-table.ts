/**
 * The table of buckets: of fixed size, open-addressed, in memory that threads share. It is read and written
 * under a lock, which is not here.
 *
 * INVARIANT (nothing is forgotten early): a bucket that is not full keeps its place. One that is full says
 * what no bucket says, and gives its place to another.
 * @module
 */
import { createHash } from 'node:crypto'

export interface Bucket {
  readonly slot: number
  readonly tokens: number
  /** Milliseconds of the clock that never goes back. */
  readonly filledAt: number
  /** When it is full again; then `tokens` says nothing. */
  readonly fullAt: number
}

export interface BucketTable {
  find(name: string): Bucket | undefined
  /** The one that is there, or a full one in its place; undefined where there is no place. */
  findOrMake(name: string, now: number): Bucket | undefined
  write(bucket: Bucket): void
}

/** Two words of its name's hash, and three numbers. */
const slotWords = 2
const slotNumbers = 3
const slotBytes =
  slotWords * Uint32Array.BYTES_PER_ELEMENT + slotNumbers * Float64Array.BYTES_PER_ELEMENT
/** A bucket is so near its place, or not in the table. */
const probesMax = 64
/** How many names a thread keeps the places of. */
const knownMax = 10_000

export function tableBytes(slots: number): number {
  return slots * slotBytes
}

/** What a bucket is known by, and where the search for it begins. */
interface Key {
  readonly first: number
  readonly high: number
  /** Never zero: that is an empty slot. */
  readonly low: number
}

/** @param start where it begins in the memory, a multiple of 8; zeros, to begin with */
export function bucketTable(memory: SharedArrayBuffer, start: number): BucketTable {
  const slots = Math.floor((memory.byteLength - start) / slotBytes)
  const numbers = new Float64Array(memory, start, slotNumbers * slots)
  const hashes = new Uint32Array(memory, start + numbers.byteLength, slotWords * slots)
  const known = new Map<string, Key>()

  const keyOf = (name: string): Key => {
    const cached = known.get(name)
    if (cached !== undefined) return cached
    if (known.size >= knownMax) known.clear()
    const hash = createHash('sha256').update(name).digest()
    const first = hash.readUInt32LE(8) % slots
    const key = { first, high: hash.readUInt32LE(0), low: hash.readUInt32LE(4) || 1 }
    known.set(name, key)
    return key
  }
  const read = (slot: number): Bucket => ({
    slot,
    tokens: numbers[slotNumbers * slot] ?? 0,
    filledAt: numbers[slotNumbers * slot + 1] ?? 0,
    fullAt: numbers[slotNumbers * slot + 2] ?? 0,
  })
  /** Its slot, and otherwise the first that is free for it. */
  const search = ({ first, high, low }: Key, now: number): { at?: number; free?: number } => {
    let free: number | undefined
    for (let probe = 0; probe < Math.min(probesMax, slots); probe += 1) {
      const slot = (first + probe) % slots
      if (hashes[slotWords * slot] === high && hashes[slotWords * slot + 1] === low) {
        return { at: slot }
      }
      if (free === undefined && read(slot).fullAt <= now) free = slot
      // Each took the first place that was free: none is behind one that never was anybody's.
      if (hashes[slotWords * slot + 1] === 0) break
    }
    return free === undefined ? {} : { free }
  }
  return {
    find(name) {
      const { at } = search(keyOf(name), 0)
      return at === undefined ? undefined : read(at)
    },
    findOrMake(name, now) {
      const key = keyOf(name)
      const { at, free } = search(key, now)
      if (at !== undefined) return read(at)
      if (free !== undefined) hashes.set([key.high, key.low], slotWords * free)
      return free === undefined ? undefined : read(free)
    },
    write({ slot, tokens, filledAt, fullAt }) {
      numbers[slotNumbers * slot] = tokens
      numbers[slotNumbers * slot + 1] = filledAt
      numbers[slotNumbers * slot + 2] = fullAt
    },
  }
}
