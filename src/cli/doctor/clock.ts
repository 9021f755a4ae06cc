/** Compares this machine's clock with what is known of the time. @module */
import { awayMsMax, partedMsMax } from '../../jobs/clock.ts'
import { differenceOf } from '../../jobs/clocks.ts'
import type { Stored } from './database.ts'
import { ok, type Outcome } from './finding.ts'

/**
 * @param of.now this machine's clock, milliseconds since the epoch
 * @param of.held why a running server does nothing that cannot be undone
 */
export function clockOutcomes({
  now,
  held,
  stored,
}: {
  readonly now: number
  readonly held: string | undefined
  readonly stored: Pick<Stored, 'clockMark' | 'offset'> | undefined
}): readonly Outcome[] {
  const { clockMark, offset } = stored ?? {}
  const outcomes: Outcome[] = []
  const correct = "correct this machine's clock, and have it follow a time server"
  if (held !== undefined) {
    const todo = `deletions are paused: ${correct}, then run \`trent clock accept\``
    outcomes.push({ state: 'warning', found: held, todo })
  }
  const difference = offset && differenceOf(offset, [])
  if (difference !== undefined && difference !== held) {
    outcomes.push({ state: 'failed', found: difference, todo: correct })
  }
  if (clockMark !== undefined && clockMark - now > partedMsMax) {
    const seconds = Math.round((clockMark - now) / 1000)
    const found = `the clock is ${seconds} seconds behind the last time that this deployment has seen`
    outcomes.push({ state: 'failed', found, todo: correct })
  }
  if (held === undefined && clockMark !== undefined && now - clockMark > awayMsMax) {
    const days = Math.floor((now - clockMark) / 86_400_000)
    const found = `the clock is ${days} days past the last time that this deployment has seen`
    const todo =
      'deletions pause after a start: run `trent clock accept` then, if the clock is right'
    outcomes.push({ state: 'warning', found, todo })
  }
  if (outcomes.length > 0) return outcomes
  const at = new Date(now).toISOString()
  return [ok(stored === undefined ? `${at}; nothing is known to compare it with` : at)]
}
