/** The clock: the system's, and one that tests may move and that ticks on from there. @module */
import type { Clock } from '../model/clock.ts'

export interface MovableClock extends Clock {
  /** Sets what `now` answers, in milliseconds since the epoch. */
  move(to: number): void
}

export function createClock(): MovableClock {
  let offset = 0
  return {
    now: () => Date.now() + offset,
    system: () => Date.now(),
    move(to) {
      offset = to - Date.now()
    },
  }
}
