/**
 * A log with a limit on repeated errors. A full disk fails every call and every job, many times a second, and
 * the log lines would fill what is left of it.
 * @module
 */
import type { Logger } from 'pino'

/** Lines of one kind of error in a minute, of all workers. The next line counts the omitted ones. */
const linesMax = 5
const periodMs = 60_000
/** Kinds that are remembered. A kind is a message without its numbers. */
const kindsMax = 1000

interface Kind {
  since: number
  lines: number
  leftOut: number
}

/**
 * The same log, with a limit on lines that report an error. Each worker limits its own lines to its share.
 * @param monotonic milliseconds of a clock that is never set
 */
export function limitErrors(
  log: Logger,
  monotonic: () => number = () => performance.now(),
  workers = 1,
): Logger {
  const ownMax = Math.max(1, Math.floor(linesMax / workers))
  const kinds = new Map<string, Kind>()
  const write: (...given: readonly unknown[]) => void = log.error.bind(log)
  const error = (details: object | string, ...more: readonly unknown[]): void => {
    const message = more[0]
    const cause = typeof details === 'object' && 'err' in details ? details.err : undefined
    // Lines without an error differ in what they name: none is a repetition.
    if (!(cause instanceof Error) || typeof message !== 'string') return write(details, ...more)
    const name = kindOf(message, cause)
    const now = monotonic()
    const known = kinds.get(name)
    const kind = known !== undefined && now - known.since < periodMs ? known : begun(now, known)
    kinds.delete(name) // keeps the kinds seen last
    kinds.set(name, kind)
    const [oldest] = kinds.keys()
    if (kinds.size > kindsMax && oldest !== undefined) kinds.delete(oldest)
    if (kind.lines >= ownMax) {
      kind.leftOut += 1
      return undefined
    }
    kind.lines += 1
    const told = kind.leftOut > 0 ? { leftOut: kind.leftOut } : {}
    kind.leftOut = 0
    return write({ ...Object(details), ...told }, message)
  }
  return Object.assign(Object.create(log) as Logger, { error })
}

function begun(now: number, before: Kind | undefined): Kind {
  return { since: now, lines: 0, leftOut: before?.leftOut ?? 0 }
}

/** Numbers and ids differ from line to line. */
function kindOf(message: string, error: Error): string {
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return [message, error.message, cause]
    .map((text) => text.slice(0, 200).replaceAll(/[0-9a-f]{8,}|\d+/gi, '#'))
    .join('\n')
}
