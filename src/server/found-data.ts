/**
 * Compares the files in the data directory before a start opens any of them, so that a refused start leaves
 * every file unchanged.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FilePort } from '../disk/files.ts'
import { findJournal } from '../audit/journal/found-journal.ts'
import { findMissingChanges } from '../audit/journal/missing-changes.ts'
import { toldMissing } from './accepted-loss.ts'
import { readApplied } from './applied.ts'
import type { RecordedChange } from '../model/change-number.ts'
import { visible } from '../model/visible.ts'
import { isMoved, movedName } from '../store/moved-database.ts'
import { readStoredHistory, readStoredState } from '../store/offline.ts'
import { readPostgresHistory, readPostgresState } from '../store/postgres/postgres-state.ts'
import { lacks } from '../store/stored-history.ts'
import type { Config } from '../config.ts'

/** The files of the data directory do not belong together, or some are missing. */
export class DataRefused extends Error {
  constructor(message: string) {
    // Somebody may have chosen these names: they become one line without terminal commands.
    super(visible(message))
  }
}

export interface FoundData {
  /** False if the database cannot be read. Opening it reports the reason. */
  readonly isRead: boolean
}

/** Compares changes with the database, of either engine. */
function lacksIn(dataDirectory: string, databaseUrl: string | undefined) {
  return async (from: number): Promise<(change: Partial<RecordedChange>) => boolean> => {
    const history =
      databaseUrl === undefined
        ? readStoredHistory(join(dataDirectory, 'trent.db'), from)
        : await readPostgresHistory(databaseUrl, from)
    // Opening a database that cannot be read reports the reason.
    return (change) => history !== undefined && lacks(history, change)
  }
}

/**
 * Compares the database with the journal and the key file of the same directory.
 * @throws {DataRefused} when the database is missing, empty, of another deployment or behind the journal
 */
export async function checkFoundData(
  { dataDirectory, databaseUrl }: Pick<Config, 'dataDirectory' | 'databaseUrl'>,
  files: FilePort,
): Promise<FoundData> {
  const isEmbedded = databaseUrl === undefined
  const path = isEmbedded ? join(dataDirectory, 'trent.db') : 'the database'
  const directory = join(dataDirectory, 'journal')
  const state = isEmbedded ? readStoredState(path) : await readPostgresState(databaseUrl)
  if (state.kind === 'unreadable') return { isRead: false }
  const journal = await findJournal({ files, directory })
  if (state.kind === 'deployment') {
    const { deploymentId } = state
    const { deployment = deploymentId } = journal
    if (deployment !== deploymentId) {
      throw new DataRefused(
        `${path} is of deployment ${deploymentId} and ${directory} of deployment ${deployment}: ` +
          'put back the database and the journal that belong together',
      )
    }
    const home = { files, directory, streams: journal.streams }
    const applied = isEmbedded ? undefined : await readApplied(dataDirectory, deploymentId)
    const lacksFrom = lacksIn(dataDirectory, databaseUrl)
    const missing = await findMissingChanges({ ...home, applied }, { ...state, lacksFrom })
    if (missing === undefined) return { isRead: true }
    throw new DataRefused(
      `${path} is behind ${missing.records > 0 ? 'the audit journal' : 'this node'}, it lacks ` +
        `${toldMissing(missing)}: put back ` +
        `${isEmbedded ? 'trent.db-wal or a newer trent.db' : 'a newer database'}, or go on without ` +
        'them by `trent database accept-loss`',
    )
  }
  if (state.kind === 'restoring') throw new DataRefused(unfinishedRestore(path, isEmbedded))
  requireMoved(join(dataDirectory, 'trent.db'), isEmbedded)
  // A first start makes the tables, then the key file, then the deployment, then the first record.
  const sealPath = join(dataDirectory, 'seal.key')
  const isBegun = state.kind === 'unfinished'
  const others = [
    ...(!isBegun && existsSync(sealPath) ? [sealPath] : []),
    ...((isBegun ? journal.isUsed : journal.streams.length > 0 || journal.isUsed)
      ? [directory]
      : []),
  ]
  if (others.length === 0) return { isRead: true }
  const named = others.length === 1 ? 'that' : 'them'
  throw new DataRefused(
    `${path} is ${state.kind === 'absent' ? 'missing' : 'empty'}, and ${others.join(' and ')} of an ` +
      `earlier deployment ${others.length === 1 ? 'is' : 'are'} there: put the database back from a ` +
      `backup, or move ${named} and the file credentials away to begin anew`,
  )
}

/** Also what somebody leaves who removes the deployment's row: the file is kept. */
export function unfinishedRestore(path: string, isEmbedded: boolean): string {
  const next = isEmbedded ? 'move it away' : 'take an empty database'
  return (
    `${path} has rows and no deployment, as after a restore that did not finish: ` +
    `${next}, and restore again`
  )
}

/**
 * The database is not there. If a move to PostgreSQL has not been made or not been completed, or if it has
 * and the setting is missing, the refusal says so.
 */
function requireMoved(file: string, isEmbedded: boolean): void {
  const moved = isMoved(file)
  if (isEmbedded && moved) {
    throw new DataRefused(
      `${file} was moved to PostgreSQL and is now ${movedName(file)}: set TRENT_DATABASE_URL`,
    )
  }
  if (isEmbedded || !(moved || existsSync(file))) return
  throw new DataRefused(
    `the database is empty, and ${moved ? movedName(file) : file} has a deployment: move it by ` +
      '`trent migrate sqlite-to-postgres`, or move that file away to begin anew',
  )
}
