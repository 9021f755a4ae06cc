/** Compares the clock of a node with those of the database and the other nodes. Pure. @module */

/** The most by which clocks may differ, in milliseconds. */
const differMsMax = 60_000

/** How far a clock is ahead of the database's, in milliseconds. */
export interface ClockOffset {
  readonly ms: number
  /** The most by which `ms` may be wrong: half of the time that the question took. */
  readonly errorMs: number
}

/**
 * @param before the node's clock before the question was sent, in milliseconds since the epoch
 * @param after when the answer had come
 */
export function offsetOf(before: number, database: number, after: number): ClockOffset {
  return {
    ms: Math.round((before + after) / 2 - database),
    errorMs: Math.abs(after - before) / 2,
  }
}

/**
 * Why a node must do nothing that cannot be undone; undefined if its clock agrees with the database's, and
 * with more than half of all clocks, the database's and its own among them. Of two nodes, the one that the
 * database's clock contradicts is wrong.
 * @param others how far their clocks are ahead of the database's
 */
export function differenceOf(own: ClockOffset, others: readonly number[]): string | undefined {
  if (differs(own.ms, own.errorMs)) return `${told(own.ms)} the database's`
  const apart = others.map((other) => own.ms - other).filter((ms) => differs(ms, own.errorMs))
  const clocks = others.length + 2
  if (2 * apart.length < clocks) return undefined
  const nearest = apart.reduce((one, ms) => (Math.abs(ms) < Math.abs(one) ? ms : one))
  return `${told(nearest)} that of ${countOf(apart.length, others.length)}`
}

/** Whether a time by which another node decides may be taken over: its clock must not be wrong. */
export function isBelievable(reachedAt: number, database: number): boolean {
  return reachedAt - database <= differMsMax
}

function differs(ms: number, errorMs: number): boolean {
  return Math.abs(ms) - errorMs > differMsMax
}

function told(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  return `the clock of this node is ${seconds} seconds ${ms > 0 ? 'ahead of' : 'behind'}`
}

function countOf(apart: number, others: number): string {
  return apart === others ? 'every other node' : `${apart} of ${others} other nodes`
}
