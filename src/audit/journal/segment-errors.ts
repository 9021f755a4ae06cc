/** When segments of a process's streams were ended by errors: twice in a minute is too often. @module */

export interface SegmentErrors {
  /**
   * Notes one more, and answers whether it is the second within a minute.
   * @param now milliseconds since the epoch
   */
  isTooMuch(now: number): boolean
}

const windowMs = 60_000

export function segmentErrorsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
}

/** @param memory what `segmentErrorsMemory` made, where other threads write streams too */
export function createSegmentErrors(memory = segmentErrorsMemory()): SegmentErrors {
  const times = new BigInt64Array(memory)
  return {
    isTooMuch(now) {
      const last = Number(Atomics.exchange(times, 0, BigInt(now)))
      // 0: there was none.
      return last !== 0 && Math.abs(now - last) < windowMs
    },
  }
}
