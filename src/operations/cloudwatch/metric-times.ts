/** Checks of times and periods in CloudWatch requests. @module */
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
 * Reads a period. Periods below a minute count as a minute, because no metric has a finer resolution.
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
 * Rounds the start of a series down to a whole minute, or to a whole hour if only hourly counts are kept
 * for that time. In milliseconds since the epoch.
 */
export function beginOf(time: Date, now: number): number {
  const unitMs = now - time.getTime() > countPeriods.minute.keptMs ? 60 * minuteMs : minuteMs
  return Math.floor(time.getTime() / unitMs) * unitMs
}
