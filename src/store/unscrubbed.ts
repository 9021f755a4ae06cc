/**
 * Whether files of the database may contain bytes of deleted material. All threads of a process share
 * the mark, which is one BigInt64.
 * @module
 */
export interface Unscrubbed {
  readonly raise: () => void
  /** Lowers the mark. @returns whether it was raised */
  readonly take: () => boolean
}

/** @param index of the mark in the memory */
export function unscrubbedIn(memory: SharedArrayBuffer, index: number): Unscrubbed {
  const marks = new BigInt64Array(memory)
  return {
    raise: () => void Atomics.store(marks, index, 1n),
    take: () => Atomics.exchange(marks, index, 0n) === 1n,
  }
}
