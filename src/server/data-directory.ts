/** The directory of all files of a server: database, journal, key file, socket. @module */
import { type Dirent, existsSync, type Stats } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unfinishedName } from '../disk/durable.ts'
import { codeOf } from '../disk/error-code.ts'
import { nodeFiles } from '../disk/files.ts'
import { isWritableByAll } from '../disk/private.ts'
import { ConfigError } from '../config.ts'

const readableByAll = 0o004
/** Files that are checked at the same time. */
const lookedAtMax = 64

/** Creates the directory if it does not exist. @throws {ConfigError} as `requireSafeDataDirectory` */
export async function makeDataDirectory(path: string): Promise<void> {
  await makeDirectory(path)
  await requireSafeDataDirectory(path)
}

/**
 * A user who can write to it could replace the operators' socket and read what they send. A group with write
 * access is allowed, because volumes are set up so.
 * @throws {ConfigError} when every user may write to it or to a file in it, or read its credentials
 */
export async function requireSafeDataDirectory(path: string): Promise<void> {
  if (isWritableByAll(await stat(path))) {
    throw new ConfigError(`TRENT_DATA_DIR: every user may write to ${path}: chmod 700 it`)
  }
  const journal = join(path, 'journal')
  const streams = (await entriesOf(journal)).filter((entry) => entry.isDirectory())
  for (const directory of [path, journal, ...streams.map(({ name }) => join(journal, name))]) {
    await requireOwnFiles(directory)
  }
}

/**
 * Any user could have rewritten such a file before, and can do so while the server runs. Files that the
 * server makes are only for their owner.
 */
async function requireOwnFiles(directory: string): Promise<void> {
  const entries = await entriesOf(directory)
  for (let start = 0; start < entries.length; start += lookedAtMax) {
    await Promise.all(
      entries.slice(start, start + lookedAtMax).map(async ({ name }) => {
        const path = join(directory, name)
        // The mode of a symbolic link's target: the link's own mode says nothing.
        const found = await stat(path).catch(() => undefined)
        if (found === undefined) return
        if (isWritableByAll(found)) throw openToAll('write to', path, found)
        const isSecret = name === 'credentials' || name === unfinishedName('credentials')
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

/** Empty if the directory does not exist. */
function entriesOf(directory: string): Promise<readonly Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => [])
}

/** Creates parents too. Not with `recursive`: below a parent like /proc, Node tries for ever. */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(parent)) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
    return
  }
  // Otherwise a crash could lose the directory's name, and everything durable in it.
  await nodeFiles.syncDirectory(parent)
}
