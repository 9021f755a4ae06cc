/**
 * Copies a database in use. Only a checkpoint writes into the file itself, so the file is of one moment
 * while there are none. The log that is copied after it holds whole transactions up to a later moment: what
 * was being written meanwhile has no valid checksum, and is ignored. `sqlite3_backup` fails whenever a
 * transaction is open.
 * @see https://www.sqlite.org/walformat.html
 * @module
 */
import { closeSync, openSync, read, write } from 'node:fs'
import { promisify } from 'node:util'

export interface Copier {
  /** There must be no checkpoint meanwhile. */
  readonly isCopying: () => boolean
  /** Copies the file and its log into new files of mode 0600. */
  readonly copyTo: (path: string) => Promise<void>
  /** Call it after the database is closed. */
  readonly close: () => void
}

/** SQLite's default. */
const autoCheckpointPages = 1000
const copiedBytes = 2 ** 20
const readSome = promisify(read)
const writeSome = promisify(write)

/** @param database the open database of the file at `path` */
export function createCopier(
  database: { readonly exec: (statement: string) => void; readonly isOpen: boolean },
  path: string,
): Copier {
  // Closing any descriptor of the file would drop the locks that this process holds on it.
  let reader: number | undefined
  let isCopying = false
  return {
    isCopying: () => isCopying,
    async copyTo(to) {
      if (isCopying) throw new Error('the database is being copied already')
      isCopying = true
      try {
        database.exec('PRAGMA wal_autocheckpoint = 0')
        reader ??= openSync(path, 'r')
        await copyBytes(reader, to)
        const log = openSync(`${path}-wal`, 'r')
        await copyBytes(log, `${to}-wal`).finally(() => closeSync(log))
      } finally {
        isCopying = false
        if (database.isOpen) database.exec(`PRAGMA wal_autocheckpoint = ${autoCheckpointPages}`)
      }
    },
    close() {
      if (reader !== undefined) closeSync(reader)
    },
  }
}

/** In steps, between which the thread serves statements. */
async function copyBytes(from: number, path: string): Promise<void> {
  const to = openSync(path, 'wx', 0o600)
  try {
    const buffer = Buffer.alloc(copiedBytes)
    for (let at = 0; ;) {
      const { bytesRead } = await readSome(from, buffer, 0, copiedBytes, at)
      if (bytesRead === 0) return
      for (let done = 0; done < bytesRead;) {
        const { bytesWritten } = await writeSome(to, buffer, done, bytesRead - done, at + done)
        done += bytesWritten
      }
      at += bytesRead
    }
  } finally {
    closeSync(to)
  }
}
