/** What CloudWatch asks of times and periods. @module */
import { KmsError, type ErrorCode } from '../../errors.ts'
import { countPeriods } from '../../model/usage.ts'

const minuteMs = 60_000

/** @throws {KmsError} `code` */
export function requireTimes(
  { StartTime, EndTime }: { readonly StartTime: Date; readonly EndTime: Date },
  code: ErrorCode,
): void {
  const [start, end] = [StartTime.getTime(), EndTime.getTime()]
  if (start === end) {
    throw new KmsError(code, 'The parameter StartTime must not equal parameter EndTime.')
  }
  if (start > end) {
    throw new KmsError(code, 'The parameter StartTime must be less than the parameter EndTime.')
  }
}

/**
 * No metric of ours has values within a minute: those are told for a shorter period.
 * @returns milliseconds
 * @throws {KmsError} `code`
 */
export function readPeriod(seconds: number, parameter: string, code: ErrorCode): number {
  const shorter = [1, 5, 10, 20, 30].includes(seconds)
  if (!shorter && (seconds < 1 || seconds % 60 !== 0)) {
    throw new KmsError(code, `The parameter ${parameter} must be a multiple of 60.`)
  }
  return Math.max(seconds * 1000, minuteMs)
}

/**
 * The whole minute in which a series begins, or the whole hour where it begins so long ago that figures are
 * kept by the hour alone. In milliseconds since the epoch.
 */
export function beginOf(time: Date, now: number): number {
  const unitMs = now - time.getTime() > countPeriods.minute.keptMs ? 60 * minuteMs : minuteMs
  return Math.floor(time.getTime() / unitMs) * unitMs
}
