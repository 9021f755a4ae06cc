/**
 * The deployment's clock. It follows the system's clock but never runs backwards, tests can move it,
 * and it holds irreversible jobs after a leap of the system's clock until an operator confirms the
 * time, and while it differs from the clocks of the database and the other nodes.
 * @module
 */
import type { Clock } from '../model/clock.ts'

/** Sources of time, in milliseconds. */
export interface TimeSource {
  /** Since the epoch; an administrator or NTP may set it. */
  readonly system: () => number
  /** A clock that nobody can set, from any starting point. */
  readonly monotonic: () => number
}

export interface MovableClock extends Clock {
  /** Sets what `now` answers, in milliseconds since the epoch. */
  move(to: number): void
  /** What `now` returns without the offset that tests have set; a restart continues from here. */
  reached(): number
  /** Continues from the latest time of earlier processes if the system's clock is behind it. */
  resume(mark: number | undefined): void
  /** Does not go behind this time any more: another node has decided by it. */
  raise(to: number): void
  /**
   * Holds irreversible jobs while other clocks show another time.
   * @param why undefined when they agree
   */
  differ(why: string | undefined): void
  /** The reason to hold irreversible jobs; undefined when they may run. */
  held(): string | undefined
  /** Confirms the system's clock as it is. */
  accept(): void
}

/** The most by which wall and monotonic time may drift apart; corrections by NTP stay below it. */
export const partedMsMax = 60_000
/** The longest downtime that a start accepts without a confirmation. */
export const awayMsMax = 7 * 86_400_000

/** The process's own clocks. */
export const processTime: TimeSource = {
  system: () => Date.now(),
  monotonic: () => performance.now(),
}

/** Memory that the threads of a process share for a clock: the tests' offset, and the latest time. */
export function clockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
}

const offset = 0
const latest = 1

/** @param memory from `clockMemory`, if other threads share the clock */
export function createClock(
  { system, monotonic }: TimeSource = processTime,
  memory: SharedArrayBuffer = clockMemory(),
): MovableClock {
  const times = new BigInt64Array(memory)
  let parted = system() - monotonic()
  let reason: string | undefined
  let differs: string | undefined
  const raise = (time: number): number => {
    const wanted = BigInt(time)
    for (let known = Atomics.load(times, latest); known < wanted;) {
      const found = Atomics.compareExchange(times, latest, known, wanted)
      if (found === known) return time
      known = found
    }
    return Number(Atomics.load(times, latest))
  }
  const reached = (): number => raise(system())
  return {
    now: () => reached() + Number(Atomics.load(times, offset)),
    system,
    move(to) {
      Atomics.store(times, offset, BigInt(to - reached()))
    },
    reached,
    resume(mark) {
      if (mark === undefined) return
      const away = system() - mark
      if (away > awayMsMax) {
        const days = Math.floor(away / 86_400_000)
        reason = `the clock is ${days} days past the last time that this deployment has seen`
      }
      raise(mark)
    },
    raise: (to) => void raise(to),
    differ(why) {
      differs = why
    },
    held() {
      const drift = system() - monotonic() - parted
      if (Math.abs(drift) > partedMsMax) {
        reason ??= `the clock was set by ${Math.round(drift / 1000)} seconds while the server ran`
      }
      return reason ?? differs
    },
    accept() {
      reason = undefined
      parted = system() - monotonic()
      Atomics.store(times, latest, BigInt(system()))
    },
  }
}
