/**
 * The clock: the system's, which never runs backwards for what is stored and decided, and one that tests
 * may move and that ticks on from there; and what the clock may not start until somebody vouches for it.
 * @module
 */
import type { Clock } from '../model/clock.ts'

/** Where time comes from; both in milliseconds. */
export interface TimeSource {
  /** Since the epoch: the system's, which may be set. */
  readonly system: () => number
  /** Of a clock that nobody sets, from wherever. */
  readonly monotonic: () => number
}

export interface MovableClock extends Clock {
  /** Sets what `now` answers, in milliseconds since the epoch. */
  move(to: number): void
  /** What `now` answers without what tests have moved it by: what a restart goes on from. */
  reached(): number
  /** Goes on from the latest time of earlier processes, where the system's clock is behind it. */
  resume(mark: number | undefined): void
  /** Why nothing may be done that cannot be undone; undefined when it may. */
  held(): string | undefined
  /** Somebody vouches for the system's clock as it is. */
  accept(): void
}

/** Wall and monotonic time may part by so much: clocks are corrected, by less. */
const partedMsMax = 60_000
/** A start may find so much time passed since the last process, and not more. */
const awayMsMax = 7 * 86_400_000

const processTime: TimeSource = {
  system: () => Date.now(),
  monotonic: () => performance.now(),
}

export function createClock({ system, monotonic }: TimeSource = processTime): MovableClock {
  let offset = 0
  let latest = 0
  let parted = system() - monotonic()
  let reason: string | undefined
  const reached = (): number => {
    latest = Math.max(latest, system())
    return latest
  }
  return {
    now: () => reached() + offset,
    system,
    move(to) {
      offset = to - reached()
    },
    reached,
    resume(mark) {
      if (mark === undefined) return
      const away = system() - mark
      if (away > awayMsMax) {
        const days = Math.floor(away / 86_400_000)
        reason = `the clock is ${days} days past the last time that this deployment has seen`
      }
      latest = Math.max(latest, mark)
    },
    held() {
      const drift = system() - monotonic() - parted
      if (Math.abs(drift) > partedMsMax) {
        reason ??= `the clock was set by ${Math.round(drift / 1000)} seconds while the server ran`
      }
      return reason
    },
    accept() {
      reason = undefined
      parted = system() - monotonic()
      latest = system()
    },
  }
}
