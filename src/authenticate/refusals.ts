/**
 * Counts requests that fail authentication, and logs them at a bounded rate. As at AWS, they leave no
 * audit record.
 * @module
 */
import type { Logger } from 'pino'
import type { ErrorCode } from '../errors.ts'
import type { Clock } from '../model/clock.ts'

export interface Refusals {
  /** @param address the source of the request */
  readonly note: (code: ErrorCode, address: string) => void
  /** The count since the server started. */
  readonly count: () => number
}

/** Milliseconds between two lines of the log. */
const quietMs = 10_000

export function createRefusals(log: Pick<Logger, 'warn'>, clock: Pick<Clock, 'system'>): Refusals {
  let total = 0
  let untold: Partial<Record<ErrorCode, number>> = {}
  let toldAt = -Infinity
  return {
    note(code, address) {
      total += 1
      untold[code] = (untold[code] ?? 0) + 1
      const now = clock.system()
      if (now - toldAt < quietMs) return
      toldAt = now
      log.warn({ refused: untold, lastAddress: address }, 'requests without a caller were refused')
      untold = {}
    },
    count: () => total,
  }
}
