/**
 * A cache bounded in bytes that answers from memory on a hit and loads once on a miss, for all who
 * wait. What is absent is remembered too. Least recently used entries go first. A value that is larger than
 * the bound takes the place of all others: what a caller can make large has a limit of its own.
 * @module
 */

export interface Cache<V> {
  /** The value at once when it is known (undefined: known to be absent), or its loading. */
  get(key: string): V | undefined | Promise<V | undefined>
  /** What is known of `key`, and what is being loaded now, is not to be kept. */
  forget(key: string): void
  clear(): void
  /** Since the start. */
  readonly counts: { readonly hits: number; readonly misses: number }
}

/** What a map entry costs beside its key and value, roughly. */
const overheadBytes = 128
/** The share of the bytes that may say what is absent: anyone can ask for names that nothing has. */
const absentShare = 1 / 8

export function createCache<V>(options: {
  readonly bytesMax: number
  readonly load: (key: string) => Promise<V | undefined>
  /** Bytes that a value takes beside its key, roughly. */
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
    // One that is larger than the cache is kept alone: otherwise each call would load it again.
    else present.set(key, value, Math.min(presentMax, bytes + sizeOf(value, key)))
  }

  const fill = async (key: string): Promise<V | undefined> => {
    const pending = load(key)
    loading.set(key, pending)
    try {
      const value = await pending
      // Forgotten meanwhile: this value may be older than the change that made us forget it.
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

/** The most recently used values that fit into so many bytes. */
export interface Recent<V> {
  get(key: string): V | undefined
  /** A value that is larger than all that there is room for is not kept. */
  set(key: string, value: V, bytes: number): void
  delete(key: string): void
  keys(): Iterable<string>
  clear(): void
}

export function createRecent<V>(bytesMax: number): Recent<V> {
  const entries = new Map<string, { readonly value: V; readonly bytes: number }>()
  let held = 0
  const drop = (key: string): void => {
    held -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }
  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, bytes) {
      drop(key)
      if (bytes > bytesMax) return
      entries.set(key, { value, bytes })
      held += bytes
      for (const oldest of entries.keys()) {
        if (held <= bytesMax) break
        drop(oldest)
      }
    },
    delete: drop,
    keys: () => entries.keys(),
    clear() {
      entries.clear()
      held = 0
    },
  }
}
