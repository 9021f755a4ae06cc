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

/** What the threads of a process have in common of a clock: by how much it was moved, and the latest time. */
export function clockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
}

const offset = 0
const latest = 1

/** @param memory what `clockMemory` made, for a clock that other threads have too */
export function createClock(
  { system, monotonic }: TimeSource = processTime,
  memory: SharedArrayBuffer = clockMemory(),
): MovableClock {
  const times = new BigInt64Array(memory)
  let parted = system() - monotonic()
  let reason: string | undefined
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
      Atomics.store(times, latest, BigInt(system()))
    },
  }
}
