/**
 * The values that were used recently, as many as fit into a bound. A value that was used since it was last
 * considered for leaving stays for another round ("second chance"). So a use writes one flag. A Map in the
 * exact order of use would be written twice for each use, and leaves tables behind that only a full garbage
 * collection frees.
 * @module
 */

export interface Recent<V> {
  get(key: string): V | undefined
  /** A value larger than the whole bound is not kept. */
  set(key: string, value: V, bytes: number): void
  delete(key: string): void
  /** Looking at them is no use. */
  entries(): Iterable<readonly [key: string, value: V]>
  readonly size: number
  clear(): void
}

interface Entry<V> {
  readonly value: V
  readonly bytes: number
  isUsed: boolean
}

/** How many values stay for another round when one comes, so that it never waits for a walk through all. */
const chancesMax = 16

export function createRecent<V>(bytesMax: number): Recent<V> {
  // The one that came first, or was given its second chance first, is the first to be considered.
  const entries = new Map<string, Entry<V>>()
  let held = 0
  const drop = (key: string): void => {
    held -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }
  const makeRoom = (bytes: number): void => {
    let chances = chancesMax
    for (const [key, entry] of entries) {
      if (held + bytes <= bytesMax) return
      if (!entry.isUsed || chances === 0) {
        drop(key)
        continue
      }
      chances -= 1
      entry.isUsed = false
      entries.delete(key)
      entries.set(key, entry)
    }
  }
  return {
    get size() {
      return entries.size
    },
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entry.isUsed = true
      return entry.value
    },
    set(key, value, bytes) {
      drop(key)
      if (bytes > bytesMax) return
      makeRoom(bytes)
      entries.set(key, { value, bytes, isUsed: false })
      held += bytes
    },
    delete: drop,
    *entries() {
      for (const [key, { value }] of entries) yield [key, value]
    },
    clear() {
      entries.clear()
      held = 0
    },
  }
}
