/**
 * When what has failed is tried again: each subject for itself after 1, 2, 4 … 60 seconds, give or take a
 * fifth, so that one that is refused keeps no other waiting. Where a whole round fails there is a pause of
 * half of that before the next, in which other subjects have their turn.
 * @module
 */
import type { Random } from '../model/clock.ts'

export interface BackOff {
  /** Whether nothing is to be tried at all. */
  isPaused(): boolean
  /** The subjects that have failed, `failedMax` at most. */
  failed(): readonly string[]
  /** Those of them that are not to be tried yet. */
  waiting(): readonly string[]
  /** Tells what has become of the subjects of a round. */
  after(succeeded: readonly string[], failed: readonly string[]): void
}

const waitMsMin = 1000
const waitMsMax = 60_000
const failedMax = 500

interface Wait {
  readonly ms: number
  readonly until: number
}

/** @param monotonic milliseconds of a clock that nobody sets */
export function createBackOff(monotonic: () => number, random: Pick<Random, 'bytes'>): BackOff {
  const waits = new Map<string, Wait>()
  let pause: Wait | undefined
  const next = (last: Wait | undefined, of: number): Wait => {
    const ms = Math.min(waitMsMax * of, (last?.ms ?? (waitMsMin * of) / 2) * 2)
    const [byte = 0] = random.bytes(1)
    return { ms, until: monotonic() + ms * (0.8 + (0.4 * byte) / 255) }
  }
  return {
    isPaused: () => pause !== undefined && monotonic() < pause.until,
    failed: () => [...waits.keys()],
    waiting: () => [...waits].flatMap(([name, { until }]) => (monotonic() < until ? [name] : [])),
    after(succeeded, failed) {
      if (succeeded.length > 0) pause = undefined
      else if (failed.length > 0) pause = next(pause, 0.5)
      for (const subject of succeeded) waits.delete(subject)
      for (const subject of failed) {
        const wait = next(waits.get(subject), 1)
        waits.delete(subject)
        waits.set(subject, wait)
      }
      // The one whose last attempt is the oldest has its turn before its time.
      for (const subject of waits.keys()) {
        if (waits.size <= failedMax) break
        waits.delete(subject)
      }
    },
  }
}
