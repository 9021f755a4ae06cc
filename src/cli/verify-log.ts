/**
 * `trent verify-log`: checks offline whether a journal is whole, and how much of it is proved.
 * @see docs/audit-journal.md
 * @module
 */
import { dirname, join, resolve } from 'node:path'
import { proveDelivered, type DeliveredReport } from '../audit/verify/prove-delivered.ts'
import { toldMissing } from '../server/accepted-loss.ts'
import { nodeFiles } from '../disk/files.ts'
import { searchMissingChanges, type MissingChanges } from '../audit/journal/missing-changes.ts'
import {
  proveJournal,
  type KnownCheckpoint,
  type ProofReport,
} from '../audit/verify/prove-journal.ts'
import { readWritersList, type WritersList } from '../audit/journal/writers-list.ts'
import { readCheckpoint } from '../audit/journal/checkpoint.ts'
import { nodeOfStream } from '../model/node.ts'
import { loadConfig } from '../config.ts'
import {
  readStoredDelivery,
  readStoredHistory,
  readStoredState,
  type StoredState,
} from '../store/offline.ts'
import { lacks } from '../store/stored-history.ts'
import { checkpointsOfFile } from './known-checkpoints.ts'
import { inJson, visible, visibleIn } from '../model/visible.ts'

export interface VerifyLogOptions {
  /** The journal's directory, `<data>/journal`. */
  readonly directory: string
  /** Fingerprints of the trusted keys. */
  readonly keys?: readonly string[]
  /** Checkpoints that the journal must contain. */
  readonly known?: readonly KnownCheckpoint[]
  /** The directory of delivered files to check as well. */
  readonly delivered?: string
  /** Prints the report as one JSON object. */
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
  const stored = readStoredState(databaseOf(directory))
  let report: Told
  try {
    report = await prove(options, directory, stored)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    const isDelivered = error instanceof DeliveredUnreadable && options.delivered !== undefined
    const at = isDelivered ? options.delivered : directory
    const unreadable = { directory: at, whole: false, error: why }
    output.write(json ? inJson(unreadable) : visible(`cannot read ${at}: ${why}`) + '\n')
    return 2
  }
  // Whoever wrote the files chose the names of files and streams.
  output.write(json ? inJson(report) : asText(visibleIn(report), visible(options.delivered ?? '')))
  return report.whole ? 0 : 1
}

/** @param directory the journal's */
function databaseOf(directory: string): string {
  return join(dirname(directory), 'trent.db')
}

async function prove(
  { keys = [], known = [], delivered }: VerifyLogOptions,
  directory: string,
  stored: StoredState,
): Promise<Told> {
  const files = nodeFiles
  const list = delivered === undefined ? '' : await readWritersList({ files, directory }, keys)
  // Without a valid list of writers the journal is not whole, and no key is known for checking digests.
  const proved =
    delivered === undefined || typeof list === 'string'
      ? undefined
      : await proveFilesIn(delivered, {
          files,
          list,
          journal: { files, directory },
          stored: readStoredDelivery(databaseOf(directory)),
        })
  const isStored = stored.kind === 'deployment'
  const history = isStored ? readStoredHistory(databaseOf(directory), 0) : undefined
  const search = searchMissingChanges(
    history?.head ?? Infinity,
    (change) => history !== undefined && lacks(history, change),
  )
  const report = await proveJournal(directory, {
    pinned: keys,
    known: [...checkpointsOf(stored), ...known, ...ofTheseNodes(proved?.checkpoints ?? [], list)],
    onFrame(_stream, frame) {
      search.see(frame)
      return undefined
    },
  })
  const found = search.found()
  // A server that started meanwhile writes to both.
  const isBehind =
    found !== undefined && readStoredState(databaseOf(directory)).kind === 'deployment'
  const missing = isBehind ? found : undefined
  const whole = report.whole && missing === undefined && (proved?.breaks.length ?? 0) === 0
  const database = stored.kind === 'deployment'
  const told = { directory, database, ...report, whole, ...(missing && { missing }) }
  if (proved === undefined) return told
  const { checkpoints: _, ...shown } = proved
  return { ...told, delivered: shown }
}

/**
 * Digests have the checkpoints of every node. The other nodes have their journals, which `verify-log` checks
 * there.
 */
function ofTheseNodes(
  checkpoints: readonly KnownCheckpoint[],
  list: WritersList | string,
): readonly KnownCheckpoint[] {
  if (typeof list === 'string') return checkpoints
  const here = new Set(list.writers.map(({ stream }) => nodeOfStream(stream)))
  return checkpoints.filter(({ text }) => {
    const node = nodeOfStream(readCheckpoint(text)?.writer ?? '')
    return node === undefined || here.has(node)
  })
}

/** @throws {DeliveredUnreadable} if the directory of delivered files cannot be read */
async function proveFilesIn(
  directory: string,
  of: Omit<Parameters<typeof proveDelivered>[0], 'directory'>,
): Promise<DeliveredReport> {
  try {
    return await proveDelivered({ ...of, directory })
  } catch (cause) {
    throw new DeliveredUnreadable(cause instanceof Error ? cause.message : 'unknown', { cause })
  }
}

class DeliveredUnreadable extends Error {}

/** A checkpoint is signed, so its row's tag is not needed here. */
function checkpointsOf(stored: StoredState): readonly KnownCheckpoint[] {
  if (stored.kind !== 'deployment') return []
  return stored.checkpoints.map(({ text, signature }) => ({ text, signature, from: 'trent.db' }))
}

/**
 * The command: verifies the journal of the data directory, or the named one. It prints to standard
 * output and sets the exit status.
 * @param configFile the settings file, which names the data directory when no directory is given
 * @throws {ConfigError} when it needs the settings and they are wrong
 */
export async function verifyLogCommand(
  configFile: string | undefined,
  directory: string | undefined,
  options: {
    readonly json?: true
    readonly key?: readonly string[]
    readonly anchors?: readonly string[]
    readonly delivered?: string
  },
): Promise<void> {
  process.exitCode = await verifyLog({
    directory: directory ?? join(loadConfig(process.env, configFile).dataDirectory, 'journal'),
    keys: options.key ?? [],
    known: (options.anchors ?? []).flatMap(checkpointsOfFile),
    ...(options.delivered !== undefined && { delivered: options.delivered }),
    json: options.json === true,
    output: process.stdout,
  })
}

type Told = ProofReport & {
  readonly directory: string
  readonly database: boolean
  /** Changes in the journal that the database lacks. */
  readonly missing?: MissingChanges
  readonly delivered?: Omit<DeliveredReport, 'checkpoints'>
}

function asText(report: Told, deliveredTo: string): string {
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
    ...(report.missing === undefined
      ? []
      : [
          `BROKEN trent.db: it lacks ${toldMissing(report.missing)}; see \`trent database accept-loss\``,
        ]),
    ...deliveredLines(report.delivered, deliveredTo),
    ...trustLines(report),
    report.whole
      ? `whole: ${report.proved} records proved, ${report.unanchored} unanchored after the last checkpoint`
      : 'NOT WHOLE',
  ]
  return `${lines.join('\n')}\n`
}

/** What the result rests on, when that is less than it could be. */
function trustLines({ keys, pinned, database }: Told): readonly string[] {
  return [
    ...keys.map((key) => `key ${key}${pinned ? '' : ': compare it with `trent status`'}`),
    ...(database
      ? []
      : [
          'not compared with the checkpoint in the database: there is none, or a server has it open',
        ]),
  ]
}

/** @param directory of the delivered files: a break of all of them has its name */
function deliveredLines(delivered: Told['delivered'], directory: string): readonly string[] {
  if (delivered === undefined) return []
  const { digests, logFiles, compared, unlisted, undelivered, breaks } = delivered
  return [
    `delivered: ${digests} digests, ${logFiles} log files, ${compared} of them compared with the journal, ` +
      `${unlisted} that no digest names yet; ${undelivered} records not yet delivered`,
    ...breaks.map(({ file, why }) => `BROKEN ${file === '.' ? directory : file}: ${why}`),
  ]
}
