/** Where all of a server's files are: the database, the journal, the key file, the socket. @module */
import { type Dirent, existsSync, type Stats } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nodeFiles } from '../disk/files.ts'
import { ConfigError } from '../config.ts'

const writableByAll = 0o002
const readableByAll = 0o004
/** Files looked at at once. */
const lookedAtMax = 64

/**
 * Made where it is not there. Whoever may write to it could put a socket of his own in the operators' way,
 * and be told what they say. A group that may write is for whoever made the directory to say, as volumes
 * have it.
 * @throws {ConfigError} when every user may write to it or to a file in it, or read its credentials
 */
export async function makeDataDirectory(path: string): Promise<void> {
  await makeDirectory(path)
  const { mode } = await stat(path)
  if ((mode & writableByAll) !== 0) {
    throw new ConfigError(`TRENT_DATA_DIR: every user may write to ${path}: chmod 700 it`)
  }
  const journal = join(path, 'journal')
  const streams = (await entriesOf(journal)).filter((entry) => entry.isDirectory())
  for (const directory of [path, journal, ...streams.map(({ name }) => join(journal, name))]) {
    await requireOwnFiles(directory)
  }
}

/**
 * Any user could have rewritten such a file before, and can while the server runs. Files that are made here
 * are for their owner only.
 */
async function requireOwnFiles(directory: string): Promise<void> {
  const entries = await entriesOf(directory)
  for (let start = 0; start < entries.length; start += lookedAtMax) {
    await Promise.all(
      entries.slice(start, start + lookedAtMax).map(async ({ name }) => {
        const path = join(directory, name)
        // Of what a symbolic link leads to: the mode of the link says nothing.
        const found = await stat(path).catch(() => undefined)
        if (found === undefined) return
        if ((found.mode & writableByAll) !== 0) throw openToAll('write to', path, found)
        const isSecret = name === 'credentials' || name === 'credentials.part'
        if (isSecret && (found.mode & readableByAll) !== 0) throw openToAll('read', path, found)
      }),
    )
  }
}

function openToAll(what: string, path: string, found: Stats): ConfigError {
  const mode = found.isDirectory() ? '700' : '600'
  return new ConfigError(
    `TRENT_DATA_DIR: every user may ${what} ${path}: make sure that nobody did, and chmod ${mode} it`,
  )
}

/** Of no directory, none. */
function entriesOf(directory: string): Promise<readonly Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => [])
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
