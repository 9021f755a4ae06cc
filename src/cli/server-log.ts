/** The log of `trent serve` on standard error: lines for people on a terminal, JSON for machines. @module */
import { styleText } from 'node:util'
import { pino, type Logger } from 'pino'
import type { LogLevel } from '../config.ts'
import { visible } from '../model/visible.ts'
import { readableLine } from './readable-line.ts'

export type LogForm = 'lines' | 'json'

export interface ServerLog {
  readonly log: Logger
  /** Whether it gets a line for each request. */
  readonly logRequests: boolean
}

/** A terminal that somebody has paused takes nothing. Later lines are dropped then, and calls go on. */
const waitingBytesMax = 4 * 2 ** 20

/** @param form by default `lines` on a terminal */
export function openLog(level: LogLevel, form?: LogForm): ServerLog {
  const isTerminal = process.stderr.isTTY
  const isForPeople = form === undefined ? isTerminal : form === 'lines'
  if (!isForPeople && !isTerminal) {
    return json(pino({ level }, pino.destination({ dest: 2, sync: false })))
  }
  const output = pino.destination({ dest: 2, sync: false, maxLength: waitingBytesMax })
  const shown = isForPeople
    ? (line: string): string => readableLine(line, paint)
    : (line: string): string => `${visible(line.trimEnd())}\n`
  const stream = {
    write: (line: string): void => void output.write(shown(line)),
    flush: (): void => output.flush(),
    flushSync: (): void => output.flushSync(),
  }
  const log = pino({ level }, stream)
  return isForPeople ? { log, logRequests: log.isLevelEnabled('info') } : json(log)
}

/** The audit journal has every call. At level `debug`, the log has a line for each too. */
function json(log: Logger): ServerLog {
  return { log, logRequests: log.isLevelEnabled('debug') }
}

/** `styleText` leaves colours out unless the stream is a terminal, and if NO_COLOR is set. */
function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stderr })
}
