/**
 * The directory of scheduled backups. A file gets its name only when it is whole and durable. Only files
 * with such a name, and with the header that belongs to it, count as backups, and only those are deleted.
 * @module
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFileByPieces } from '../disk/durable.ts'
import { piecesOf, type FilePort } from '../disk/files.ts'
import { isWritableByAll } from '../disk/private.ts'
import { BackupRefused, readBackup } from './format.ts'
import type { BackupHeader } from './header.ts'

export interface KeptBackup {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** The number of the last change in it. */
  readonly change: number
  readonly bytes: number
}

export interface BackupDirectory {
  /** The backups in it, newest first. */
  readonly list: () => Promise<readonly KeptBackup[]>
  /** @param check called with the path of the durable file, before it counts */
  readonly write: (
    header: BackupHeader,
    pieces: AsyncIterable<Uint8Array>,
    check: (path: string) => Promise<void>,
  ) => Promise<KeptBackup>
  /** Deletes the oldest backups, but never `newest`. @returns the names of the deleted files */
  readonly prune: (newest: KeptBackup, keep: number) => Promise<readonly string[]>
}

/** Another node may be writing that file, but not for longer than this, milliseconds. */
const leftAfterMs = 24 * 60 * 60 * 1000

/** @param holder who writes here, such as the id of a node: letters, digits and hyphens */
export function createBackupDirectory(
  files: FilePort,
  directory: string,
  { deploymentId, holder }: { readonly deploymentId: string; readonly holder: string },
): BackupDirectory {
  const begin = `trent-${deploymentId}-`
  const nameOf = ({ createdAt, change }: Pick<BackupHeader, 'createdAt' | 'change'>): string =>
    `${begin}${stampOf(createdAt)}-${change}.backup`
  /** Headers of files that were read before. A file with a final name does not change. */
  const known = new Map<string, KeptBackup>()

  const readOne = async (name: string): Promise<KeptBackup | undefined> => {
    const path = join(directory, name)
    const bytes = await sizeOf(files, path)
    const before = known.get(name)
    if (before !== undefined && before.bytes === bytes) return before
    const header = bytes === undefined ? undefined : await headerOf(files, path)
    if (bytes === undefined || header?.deploymentId !== deploymentId) return undefined
    if (nameOf(header) !== name) return undefined
    const { createdAt, change } = header
    const found = { name, createdAt, change, bytes }
    known.set(name, found)
    return found
  }
  const filesHere = async (): Promise<readonly string[]> => {
    const all = await files.list(directory)
    return all.flatMap(({ name, isFile }) => (isFile && name.startsWith(begin) ? [name] : []))
  }
  const list = async (): Promise<readonly KeptBackup[]> => {
    const names = (await filesHere()).filter((name) => name.endsWith('.backup'))
    for (const name of known.keys()) if (!names.includes(name)) known.delete(name)
    const found: KeptBackup[] = []
    for (const name of names) {
      const one = await readOne(name)
      if (one !== undefined) found.push(one)
    }
    // A clock may have been wrong. Changes only ever increase.
    return found.toSorted((a, b) => b.change - a.change || b.createdAt - a.createdAt)
  }
  /** What a process left that died while it wrote. */
  const removeUnfinished = async (now: number): Promise<void> => {
    for (const name of await filesHere()) {
      const [, stamp = '', by] = /-(\d{8}T\d{6}Z)-\d+\.backup\.([\w-]+)\.next$/.exec(name) ?? []
      if (by === undefined) continue
      const isOwn = by === holder
      if (isOwn || stamp < stampOf(now - leftAfterMs)) await files.remove(join(directory, name))
    }
  }
  return {
    list,
    async write(header, pieces, check) {
      const name = nameOf(header)
      const path = join(directory, name)
      await removeUnfinished(header.createdAt)
      if ((await filesHere()).includes(name)) throw new Error(`${path} is there already`)
      await replaceFileByPieces(files, path, pieces, {
        unfinished: `${path}.${holder}.next`,
        check,
      })
      const { createdAt, change } = header
      return { name, createdAt, change, bytes: (await sizeOf(files, path)) ?? 0 }
    },
    async prune(newest, keep) {
      const others = (await list()).filter(({ name }) => name !== newest.name)
      const old = others.slice(keep - 1)
      for (const { name } of old) await files.remove(join(directory, name))
      if (old.length > 0) await files.syncDirectory(directory)
      return old.map(({ name }) => name)
    },
  }
}

/**
 * Nobody else can read a backup or make one, but whoever may write to the directory can delete all of them. A
 * group with write access is allowed, as in the data directory.
 * @throws when every user may write to it
 */
export async function requireSafeBackupDirectory(path: string): Promise<void> {
  if (!isWritableByAll(await stat(path))) return
  throw new Error(`TRENT_BACKUP_DIR: every user may write to ${path}: chmod 700 it`)
}

/** `20261130T103639Z` */
function stampOf(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** Undefined if it cannot be read: somebody else's file holds up no backup. */
async function sizeOf(files: FilePort, path: string): Promise<number | undefined> {
  const file = await files.openToRead(path).catch(() => undefined)
  try {
    return await file?.size()
  } finally {
    await file?.close()
  }
}

async function headerOf(files: FilePort, path: string): Promise<BackupHeader | undefined> {
  const bytes = piecesOf(files, path)
  try {
    return (await readBackup(bytes)).header
  } catch (error) {
    if (!(error instanceof BackupRefused)) throw error
    return undefined
  } finally {
    await bytes.return(undefined)
  }
}
