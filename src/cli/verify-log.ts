/**
 * `trent verify-log`: whether a journal is whole, checked offline.
 * @see docs/audit-journal.md
 * @module
 */
import { join, resolve } from 'node:path'
import { verifyJournal, type JournalReport } from '../audit/verify.ts'
import { loadConfig } from '../config.ts'

export interface VerifyLogOptions {
  /** The journal's directory, `<data>/journal`. */
  readonly directory: string
  /** The report as one JSON object. */
  readonly json: boolean
  readonly output: { readonly write: (text: string) => unknown }
}

/**
 * Prints the report.
 * @returns the exit status: 0 when the journal is whole, 1 when it is not, 2 when it cannot be read
 */
export async function verifyLog(options: VerifyLogOptions): Promise<number> {
  const { json, output } = options
  const directory = resolve(options.directory)
  let report: JournalReport
  try {
    report = await verifyJournal(directory)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    const unreadable = { directory, whole: false, error: why }
    output.write(json ? `${JSON.stringify(unreadable)}\n` : `cannot read ${directory}: ${why}\n`)
    return 2
  }
  output.write(json ? `${JSON.stringify({ directory, ...report })}\n` : asText(directory, report))
  return report.whole ? 0 : 1
}

/**
 * The command: the journal of the data directory unless another is named, to standard output, with the
 * exit status set.
 * @param configFile the settings file; without a directory its data directory is taken
 * @throws {ConfigError} when a directory is to be taken from settings that are wrong
 */
export async function verifyLogCommand(
  configFile: string | undefined,
  directory: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  process.exitCode = await verifyLog({
    directory: directory ?? join(loadConfig(process.env, configFile).dataDirectory, 'journal'),
    json: options.json === true,
    output: process.stdout,
  })
}

function asText(directory: string, report: JournalReport): string {
  const streams = report.streams.map(
    (stream) =>
      `stream ${stream.stream}: ${stream.records} records in ${stream.segments} segments` +
      (stream.firstTime === undefined ? '' : `, ${stream.firstTime} to ${stream.lastTime}`) +
      (stream.head === undefined
        ? ''
        : `\n  head: segment ${stream.head.segment}, offset ${stream.head.offset}, ` +
          `${stream.head.hash}${stream.closed ? '' : ', not closed'}`),
  )
  const breaks = report.breaks.map(({ file, offset, why }) => `BROKEN ${file} at ${offset}: ${why}`)
  const hidden = report.breakCount - report.breaks.length
  const lines = [
    directory,
    ...streams,
    ...breaks,
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    report.whole ? `whole: ${report.records} records` : 'NOT WHOLE',
  ]
  return `${lines.join('\n')}\n`
}
