/**
 * What the log says about the time after a backup: what was taken away, and what is missing in it. Its
 * sources are journals, which are proved, and archives of delivered files, which are read as they are.
 * @module
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readCheckpoint } from '../audit/journal/checkpoint.ts'
import { findJournal } from '../audit/journal/found-journal.ts'
import { recordTextOf } from '../audit/journal/frame.ts'
import {
  logBytesMax,
  namesBelow,
  textOf,
  type DeliveredFiles,
} from '../audit/verify/delivered-files.ts'
import { proveJournal } from '../audit/verify/prove-journal.ts'
import type { BackupHeader } from '../backup/header.ts'
import { collectChanges, type LoggedChange, type LoggedChanges } from '../backup/logged-changes.ts'
import { takeAway } from '../backup/take-away.ts'
import { takenAway } from '../backup/taken-away.ts'
import { ConfigError } from '../config.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { fingerprintOf } from '../crypto/statements.ts'
import { nodeFiles } from '../disk/files.ts'

export interface LogSources {
  /** Directories of journals, apart from the one in the data directory. */
  readonly journal?: readonly string[]
  /** Directories of archives. */
  readonly delivered?: readonly string[]
}

export interface LogAfterBackup {
  /** What to take away again. */
  readonly apply: readonly LoggedChange[]
  /** What may have taken something away, and cannot be repeated. */
  readonly unrepeated: readonly LoggedChange[]
  /** Why the log may be incomplete. */
  readonly refusals: readonly string[]
  /** The number of the last change in the log; the backup's if it has none after it. */
  readonly last: number
  /** Whether a server may have used numbers behind `last`. */
  readonly mayGoOn: boolean
}

/** Changes, streams or rows named in one line. */
const shownMax = 5
/** What a record contains that says something about changes. */
const toldOf = ['"change":', '"RestoreBackup"']

/** @throws {ConfigError} if a source cannot be believed or read */
export async function readLogAfter(
  header: BackupHeader,
  { journal = [], delivered = [] }: LogSources,
  of: { readonly dataDirectory: string; readonly keyring: Keyring },
): Promise<LogAfterBackup> {
  const log = collectChanges(header.change)
  const journals = await journalsOf(of.dataDirectory, header, journal)
  const ends = await readJournals(journals, log, of.keyring)
  for (const directory of delivered) await readArchive(directory, log)
  const absent = absentStreams(header, ends)
  const { changes, missing, last } = log.end()
  const { apply, unknown } = takenAway(changes, new Set(Object.keys(takeAway)))
  const refusals: string[] = []
  if (last === 0) {
    refusals.push(
      'what was deleted or revoked after the backup would come back: name the log with --journal or ' +
        '--delivered',
    )
  } else if (absent.length > 0 && delivered.length === 0) {
    // An archive may have the end of every stream. Nothing says whether it does.
    refusals.push(`the log may end too early: no journal goes on with ${shown(absent)}`)
  } else if (last < header.change) {
    refusals.push(
      `the log ends at change ${last}, before the backup, which has change ${header.change}`,
    )
  }
  if (missing > 0) {
    refusals.push(`the log lacks ${missing} changes after the backup, up to change ${last}`)
  }
  const mayGoOn = journals.length === 0 || absent.length > 0
  return { apply, unrepeated: unknown, refusals, last: Math.max(last, header.change), mayGoOn }
}

/** Some of the names in one line. @param count how many there are, if not all are given */
export function shown(names: readonly string[], count = names.length): string {
  const more = count > shownMax ? ` and ${count - shownMax} more` : ''
  return `${names.slice(0, shownMax).join(', ')}${more}`
}

/** The named journals, and the one that is left in the data directory. */
export async function journalsOf(
  dataDirectory: string,
  { deploymentId }: Pick<BackupHeader, 'deploymentId'>,
  named: readonly string[],
): Promise<readonly string[]> {
  const own = join(dataDirectory, 'journal')
  const left = existsSync(own) ? [own] : []
  const directories = [...new Set([...named.map((each) => resolve(each)), ...left])]
  const used: string[] = []
  for (const directory of directories) {
    if (!existsSync(directory)) throw new ConfigError(`${directory} is missing`)
    const found = await findJournal({ files: nodeFiles, directory })
    const { deployment = deploymentId } = found
    if (deployment !== deploymentId) {
      throw new ConfigError(
        `${directory} is of deployment ${deployment}, and the backup of ${deploymentId}`,
      )
    }
    if (found.streams.length > 0) used.push(directory)
  }
  return used
}

/** Returns the number of the last checkpoint of each stream. */
export async function readJournals(
  journals: readonly string[],
  log: Pick<LoggedChanges, 'see'>,
  keyring: Keyring,
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  const pinned = keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey))
  for (const directory of journals) {
    const { whole, breaks, anchors } = await proveJournal(directory, {
      pinned,
      onFrame(_stream, { kind, payload }) {
        // Most records are of no change, so they are not parsed.
        if (kind === 'record' && toldOf.some((member) => payload.includes(member))) {
          log.see(parsed(recordTextOf(payload)))
        }
        return undefined
      },
    })
    const [first] = breaks
    if (!whole && first !== undefined) {
      throw new ConfigError(`the journal in ${directory} is not whole: ${first.file}: ${first.why}`)
    }
    for (const { stream, checkpoint } of anchors) {
      ends.set(stream, Math.max(ends.get(stream) ?? 0, checkpoint?.sequence ?? 0))
    }
  }
  return ends
}

export async function readArchive(
  directory: string,
  log: Pick<LoggedChanges, 'see'>,
): Promise<void> {
  if (!existsSync(directory)) throw new ConfigError(`${directory} is missing`)
  const archive: DeliveredFiles = { files: nodeFiles, directory: resolve(directory), breaks: [] }
  const names = await namesBelow(archive, '')
  // What it does not read could be the end of the log.
  const [odd] = archive.breaks
  if (odd !== undefined) throw new ConfigError(`${odd.file} in ${directory}: ${odd.why}`)
  for (const name of names) {
    if (!name.endsWith('.json.gz') || name.includes('/CloudTrail-Digest/')) continue
    const text = await textOf(archive, name, logBytesMax)
    const { Records: records } = Object(parsed(text)) as { readonly Records?: unknown }
    if (!Array.isArray(records)) throw new ConfigError(`${name} in ${directory} cannot be read`)
    for (const record of records) log.see(record)
  }
}

/** Streams that were written when the backup was taken, and that no journal has up to there. */
function absentStreams(
  { streams }: BackupHeader,
  ends: ReadonlyMap<string, number>,
): readonly string[] {
  return streams.flatMap(({ stream, checkpoint, isWritten = true }) => {
    const { sequence = Infinity } = readCheckpoint(checkpoint) ?? {}
    return isWritten && (ends.get(stream) ?? 0) < sequence ? [stream] : []
  })
}

function parsed(text: Buffer | undefined): unknown {
  try {
    return JSON.parse(text?.toString('utf8') ?? '')
  } catch {
    return undefined
  }
}
