/**
 * What a start finds in its data directory, compared before anything is opened: a refused start leaves
 * every file as it was.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FilePort } from './audit/files.ts'
import { findJournal } from './audit/found-journal.ts'
import { readStoredState } from './store/offline.ts'

/** The files of the data directory do not belong together. */
export class DataRefused extends Error {}

/**
 * Compares the database with the journal and the key file that lie beside it.
 * @returns false when the database cannot be read: opening it says why
 * @throws {DataRefused} when the database is missing, empty or of another deployment
 */
export async function checkFoundData(dataDirectory: string, files: FilePort): Promise<boolean> {
  const path = join(dataDirectory, 'trent.db')
  const directory = join(dataDirectory, 'journal')
  const state = readStoredState(path)
  if (state.kind === 'unreadable') return false
  const journal = await findJournal({ files, directory })
  if (state.kind === 'deployment') {
    const { deploymentId } = state
    const { deployment = deploymentId } = journal
    if (deployment === deploymentId) return true
    throw new DataRefused(
      `${path} is of deployment ${deploymentId} and ${directory} of deployment ${deployment}: ` +
        'put back the database and the journal that belong together',
    )
  }
  // A first start that dies has the tables before it has the key file, and no record before the deployment.
  const sealPath = join(dataDirectory, 'seal.key')
  const isBegun = state.kind === 'unfinished'
  const others = [
    ...(!isBegun && existsSync(sealPath) ? [sealPath] : []),
    ...((isBegun ? journal.isUsed : journal.streams.length > 0 || journal.isUsed)
      ? [directory]
      : []),
  ]
  if (others.length === 0) return true
  const named = others.length === 1 ? 'that' : 'them'
  throw new DataRefused(
    `${path} is ${state.kind === 'absent' ? 'missing' : 'empty'}, and ${others.join(' and ')} of an ` +
      `earlier deployment ${others.length === 1 ? 'is' : 'are'} there: put the database back from a ` +
      `backup, or move ${named} and the file credentials away to begin anew`,
  )
}
