/** The progress of a long command, in one line of a terminal. Files and pipes get none. @module */

export interface Progress {
  readonly reached: (count: number) => void
  /** Removes the line. */
  readonly end: () => void
}

/** Milliseconds between two changes of the line. */
const shownMs = 200
/** Back to the first column, and everything after it removed. */
const cleared = '\r\u001B[K'

/** @param what the noun of what is counted, in the plural */
export function createProgress(
  output: { readonly isTTY?: boolean; readonly write: (text: string) => unknown },
  total: number,
  what: string,
): Progress {
  if (output.isTTY !== true) return { reached: () => undefined, end: () => undefined }
  let shownAt: number | undefined
  return {
    reached(count) {
      const now = performance.now()
      if (shownAt !== undefined && now - shownAt < shownMs) return
      shownAt = now
      const percent = total === 0 ? 100 : Math.floor((100 * count) / total)
      output.write(`${cleared}${percent} %: ${count} of ${total} ${what}`)
    },
    end() {
      if (shownAt !== undefined) output.write(cleared)
    },
  }
}
