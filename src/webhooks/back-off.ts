/**
 * Back-off of failed deliveries. Each subject (a key, a trail) waits on its own, for 1, 2, 4 … 60
 * seconds with 20 % jitter, so that one refused subject does not delay the others. When a whole round
 * fails, nothing is tried for half of that time; then other subjects come first.
 * @module
 */
import type { Random } from '../model/clock.ts'

export interface BackOff {
  /** Whether to try nothing at all for the moment. */
  isPaused(): boolean
  /** The subjects that have failed, at most `failedMax`. */
  failed(): readonly string[]
  /** The failed subjects that must still wait. */
  waiting(): readonly string[]
  /** Notes the results of a round, by subject. */
  after(succeeded: readonly string[], failed: readonly string[]): void
}

const waitMsMin = 1000
const waitMsMax = 60_000
const failedMax = 500

interface Wait {
  readonly ms: number
  readonly until: number
}

/** @param monotonic milliseconds of a clock that nobody can set */
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
      // Beyond the bound, the subject with the oldest attempt is forgotten, and so tried early.
      for (const subject of waits.keys()) {
        if (waits.size <= failedMax) break
        waits.delete(subject)
      }
    },
  }
}
