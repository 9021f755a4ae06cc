/** The clocks by which the age of what a node knows is measured. @module */
import type { Moment } from '../freshness.ts'

/** The same in every thread of the process. */
export function systemMoment(): Moment {
  return { monotonic: Number(process.hrtime.bigint() / 1_000_000n), wall: Date.now() }
}
