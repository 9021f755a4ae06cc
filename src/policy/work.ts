/**
 * Limits the work of a request's decisions. An attacker may control both the patterns and the values,
 * so the limit is on their product: every comparison counts its steps. A step reads one unit of text,
 * or is other work of about a nanosecond.
 *
 * INVARIANT (fail closed): a statement that cannot be decided within the limit is decided against the
 * caller.
 * @module
 */

/** Steps left. All decisions of one request share them. */
export interface Work {
  left: number
}

/**
 * The steps of one request: ten to thirty milliseconds. Ordinary requests take several thousand. The
 * largest policies that a caller can have, without long patterns, take half of the limit.
 */
export const stepsMax = 4_000_000

export function newWork(steps: number = stepsMax): Work {
  return { left: steps }
}

/** Thrown and caught inside `policy/` only: a comparison reached the limit. */
export class WorkSpent extends Error {}

/** Thrown many times, so one object without a stack is reused. */
const spent = new WorkSpent('too much work')

/** @throws {WorkSpent} when less is left */
export function spend(work: Work, steps: number): void {
  work.left -= steps
  if (work.left < 0) throw spent
}

export function isSpent(work: Work): boolean {
  return work.left < 0
}
