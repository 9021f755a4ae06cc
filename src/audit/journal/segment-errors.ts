/**
 * Counts the segments of a process that were ended by errors: two within a minute are fatal. @module
 */

export interface SegmentErrors {
  /**
   * Notes an error and returns whether it is the second within a minute.
   * @param now milliseconds since the epoch
   */
  isTooMuch(now: number): boolean
}

const windowMs = 60_000

export function segmentErrorsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
}

/** @param memory from `segmentErrorsMemory`, if other threads write streams too */
export function createSegmentErrors(memory = segmentErrorsMemory()): SegmentErrors {
  const times = new BigInt64Array(memory)
  return {
    isTooMuch(now) {
      const last = Number(Atomics.exchange(times, 0, BigInt(now)))
      // 0: there was no error yet.
      return last !== 0 && Math.abs(now - last) < windowMs
    },
  }
}
