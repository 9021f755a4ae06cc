/**
 * A cache bounded in bytes: it answers from memory on a hit, and loads once on a miss for all
 * waiting callers. It remembers absent values too. It keeps the entries that were used recently.
 * A value larger than the bound evicts all others: a value of caller-controlled size needs
 * its own limit.
 * @module
 */
import { createRecent } from '../model/recent.ts'

export interface Cache<V> {
  /**
   * Returns the value at once when it is cached (undefined: cached as absent), otherwise a promise.
   */
  get(key: string): V | undefined | Promise<V | undefined>
  /** Drops the entry of `key`. A load of it that is under way is not cached either. */
  forget(key: string): void
  clear(): void
  /** Counted since the start. */
  readonly counts: { readonly hits: number; readonly misses: number }
}

/** Rough cost of a map entry, in bytes, without its key and value. */
const overheadBytes = 128
/**
 * Share of the bytes for absent entries. It is small: anyone can ask for names that do not exist.
 */
const absentShare = 1 / 8

export function createCache<V>(options: {
  readonly bytesMax: number
  readonly load: (key: string) => Promise<V | undefined>
  /** Rough size of a value in bytes, without its key. */
  readonly sizeOf: (value: V, key: string) => number
}): Cache<V> {
  const { bytesMax, load, sizeOf } = options
  const presentMax = bytesMax * (1 - absentShare)
  const present = createRecent<V>(presentMax)
  const absent = createRecent<true>(bytesMax * absentShare)
  const loading = new Map<string, Promise<V | undefined>>()
  const counts = { hits: 0, misses: 0 }

  const keep = (key: string, value: V | undefined): void => {
    const bytes = overheadBytes + key.length * 2
    if (value === undefined) absent.set(key, true, bytes)
    // A value larger than the cache is kept alone: otherwise each call would load it again.
    else present.set(key, value, Math.min(presentMax, bytes + sizeOf(value, key)))
  }

  const fill = async (key: string): Promise<V | undefined> => {
    const pending = load(key)
    loading.set(key, pending)
    try {
      const value = await pending
      // If the key was forgotten during the load, the value may be older than the change that
      // forgot it.
      if (loading.get(key) === pending) keep(key, value)
      return value
    } finally {
      if (loading.get(key) === pending) loading.delete(key)
    }
  }

  return {
    counts,
    get(key) {
      const value = present.get(key)
      if (value !== undefined || absent.get(key) === true) {
        counts.hits += 1
        return value
      }
      counts.misses += 1
      return loading.get(key) ?? fill(key)
    },
    forget(key) {
      present.delete(key)
      absent.delete(key)
      loading.delete(key)
    },
    clear() {
      present.clear()
      absent.clear()
      loading.clear()
    },
  }
}
