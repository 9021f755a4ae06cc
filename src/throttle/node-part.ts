/**
 * The part that this node has of every bucket which nodes share, and until when, in memory that threads
 * share. The caller holds the lock (`threads/shared-lock.ts`).
 * @module
 */

export interface NodePart {
  /** The part at this time of both clocks, from 0 to 1; -1 if this node has nothing any more. */
  at(monotonic: number, system: number): number
  /** The part before the last change, and the time of the change. */
  before(): { readonly part: number; readonly until: number }
  set(of: {
    readonly part: number
    /** Milliseconds of both clocks, whichever comes first. */
    readonly until: { readonly monotonic: number; readonly system: number }
    readonly before: ReturnType<NodePart['before']>
  }): void
}

const words = 5
export const partBytes = words * Float64Array.BYTES_PER_ELEMENT

/** @param start a multiple of 8 */
export function nodePart(memory: SharedArrayBuffer, start: number): NodePart {
  const numbers = new Float64Array(memory, start, words)
  return {
    at(monotonic, system) {
      const part = numbers[0] ?? 0
      const until = numbers[1] ?? 0
      if (until === Infinity) return part
      // The monotonic clock stops while the machine is suspended.
      return monotonic < until && system < (numbers[2] ?? 0) ? part : -1
    },
    before: () => ({ part: numbers[3] ?? 0, until: numbers[4] ?? 0 }),
    set: ({ part, until, before }) =>
      numbers.set([part, until.monotonic, until.system, before.part, before.until]),
  }
}
