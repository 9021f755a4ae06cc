/**
 * `trent verify-log`: whether a journal is whole, and what of it is proved, checked offline.
 * @see docs/audit-journal.md
 * @module
 */
import { dirname, join, resolve } from 'node:path'
import { proveJournal, type KnownCheckpoint, type ProofReport } from '../audit/prove-journal.ts'
import { loadConfig } from '../config.ts'
import { checkpointsOfDatabase, checkpointsOfFile } from './known-checkpoints.ts'

export interface VerifyLogOptions {
  /** The journal's directory, `<data>/journal`. */
  readonly directory: string
  /** Fingerprints of the keys that are trusted. */
  readonly keys?: readonly string[]
  /** Checkpoints that the journal must hold. */
  readonly known?: readonly KnownCheckpoint[]
  /** The report as one JSON object. */
  readonly json: boolean
  readonly output: { readonly write: (text: string) => unknown }
}

/**
 * Prints the report.
 * @returns the exit status: 0 when the journal is whole, 1 when it is not, 2 when it cannot be read
 */
export async function verifyLog(options: VerifyLogOptions): Promise<number> {
  const { json, output, keys = [] } = options
  const directory = resolve(options.directory)
  const stored = checkpointsOfDatabase(join(dirname(directory), 'trent.db'))
  const known = [...(stored ?? []), ...(options.known ?? [])]
  let report: ProofReport
  try {
    report = await proveJournal(directory, { pinned: keys, known })
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    const unreadable = { directory, whole: false, error: why }
    output.write(json ? `${JSON.stringify(unreadable)}\n` : `cannot read ${directory}: ${why}\n`)
    return 2
  }
  const told = { directory, database: stored !== undefined, ...report }
  output.write(json ? `${JSON.stringify(told)}\n` : asText(told))
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
  options: {
    readonly json?: true
    readonly key?: readonly string[]
    readonly anchors?: readonly string[]
  },
): Promise<void> {
  process.exitCode = await verifyLog({
    directory: directory ?? join(loadConfig(process.env, configFile).dataDirectory, 'journal'),
    keys: options.key ?? [],
    known: (options.anchors ?? []).flatMap(checkpointsOfFile),
    json: options.json === true,
    output: process.stdout,
  })
}

type Told = ProofReport & { readonly directory: string; readonly database: boolean }

function asText(report: Told): string {
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
    report.directory,
    ...streams,
    ...breaks,
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    ...trustLines(report),
    report.whole
      ? `whole: ${report.proved} records proved, ${report.unanchored} behind the last checkpoint unanchored`
      : 'NOT WHOLE',
  ]
  return `${lines.join('\n')}\n`
}

/** What the answer rests on, where that is less than it could be. */
function trustLines({ keys, pinned, database }: Told): readonly string[] {
  return [
    ...keys.map((key) => `key ${key}${pinned ? '' : ': compare it with what `trent status` told'}`),
    ...(database
      ? []
      : [
          'not compared with the checkpoint in the database: there is none, or a server has it open',
        ]),
  ]
}
