/**
 * How much work a request's decisions may take. Patterns and the values that they are matched with may
 * both be an attacker's, so the limit is on their product: every comparison is counted in steps. A step
 * is a unit of text that is looked at, or other work of about a nanosecond.
 *
 * INVARIANT (fail closed): a statement that cannot be decided within the limit is decided against the
 * caller.
 * @module
 */

/** Counts down; shared by all decisions of one request. */
export interface Work {
  left: number
}

/**
 * The steps of one request: ten to thirty milliseconds. Ordinary requests take some thousands. The most
 * statements that a caller's policies can hold, without long patterns, take half of them.
 */
export const stepsMax = 4_000_000

export function newWork(steps: number = stepsMax): Work {
  return { left: steps }
}

/** Thrown and caught inside `authorize/` only: the limit was reached in the middle of a comparison. */
export class WorkSpent extends Error {}

/** Thrown many times, so it has no stack of its own. */
const spent = new WorkSpent('too much work')

/** @throws {WorkSpent} when less is left */
export function spend(work: Work, steps: number): void {
  work.left -= steps
  if (work.left < 0) throw spent
}

export function isSpent(work: Work): boolean {
  return work.left < 0
}
