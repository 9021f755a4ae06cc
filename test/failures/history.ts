/**
 * What callers saw: one entry for each operation on a register. A history is kept as JSON lines, which a
 * linearizability checker can read.
 * @module
 */

/** One operation on one register, with what came of it. */
export interface Entry {
  /** The register, for example `key 1234 state`. Registers are independent of each other. */
  readonly register: string
  /** What was asked, by the names of `registers.ts`. */
  readonly does: string
  /** The value that is written, or that was seen. */
  readonly value?: string
  /** Undefined if the outcome is not known: the operation may have happened, and may still happen. */
  readonly outcome: 'ok' | 'refused' | 'unknown'
  /** Milliseconds on one monotonic clock: before the request was sent. */
  readonly begin: number
  /** After the answer was received. */
  readonly end: number
  readonly requestId?: string
  readonly node?: string
}

export function toLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`
}

export function fromLines(text: string): Entry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
}
