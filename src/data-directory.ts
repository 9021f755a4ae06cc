/** Where all of a server's files are: the database, the journal, the key file, the socket. @module */
import { existsSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { nodeFiles } from './audit/files.ts'
import { ConfigError } from './config.ts'

const writableByAll = 0o002

/**
 * Made where it is not there. Whoever may write to it could put a socket of his own in the operators' way,
 * and be told what they say. A group that may write is for whoever made the directory to say, as volumes
 * have it.
 * @throws {ConfigError} when every user may write to it
 */
export async function makeDataDirectory(path: string): Promise<void> {
  await makeDirectory(path)
  const { mode } = await stat(path)
  if ((mode & writableByAll) === 0) return
  throw new ConfigError(`TRENT_DATA_DIR: every user may write to ${path}: chmod 700 it`)
}

/** With its parents. Not by `recursive`: under a parent that takes no entries Node tries for ever (/proc). */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(parent)) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
    return
  }
  // Else all that is durable in it could be gone with its name.
  await nodeFiles.syncDirectory(parent)
}
