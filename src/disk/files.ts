/**
 * The file system as the journal sees it: a port, so that tests can cut writes short, fill the disk
 * and fail a sync. The real one uses nothing but asynchronous calls.
 * @module
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'

export interface OpenFile {
  /** Writes at `position` and answers how many bytes were taken, which may be fewer than given. */
  readonly write: (bytes: Uint8Array, position: number) => Promise<number>
  /** Fills `into` from `position` and answers how many bytes came, 0 at the end of the file. */
  readonly read: (into: Uint8Array, position: number) => Promise<number>
  /** Makes the content durable, and of the metadata what reading it needs. */
  readonly datasync: () => Promise<void>
  readonly sync: () => Promise<void>
  readonly truncate: (size: number) => Promise<void>
  readonly size: () => Promise<number>
  readonly close: () => Promise<void>
}

export interface DirectoryEntry {
  readonly name: string
  readonly isDirectory: boolean
  /** False for a symbolic link, a pipe, a socket or a device. */
  readonly isFile?: boolean
}

export interface FilePort {
  /** A new file, mode 0600; it must not exist yet. */
  readonly create: (path: string) => Promise<OpenFile>
  readonly openToRead: (path: string) => Promise<OpenFile>
  /** Replaces what has the name `to`. Durable once the directory is synced. */
  readonly rename: (from: string, to: string) => Promise<void>
  /** Removes a file; one that does not exist is no error. */
  readonly remove: (path: string) => Promise<void>
  /** Makes a directory, mode 0700, and those above it. */
  readonly makeDirectory: (path: string) => Promise<void>
  readonly list: (directory: string) => Promise<readonly DirectoryEntry[]>
  readonly syncDirectory: (path: string) => Promise<void>
  /** Bytes that an ordinary user may still take on the file system of `path`. */
  readonly freeBytes: (path: string) => Promise<number>
}

/** The file port over Node's own, by way of libuv's pool. */
export const nodeFiles: FilePort = {
  create: (path) => openFile(path, 'wx+'),
  async openToRead(path) {
    // A pipe of that name would hold whoever reads for ever; a link leads to what is not ours.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
    const file = await openFile(path, flags)
    if (await file.isRegular()) return file
    await file.close()
    throw new Error(`${path} is not a regular file`)
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  list: async (directory) => {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.map((entry) => ({
      name: entry.name,
      isDirectory: entry.isDirectory(),
      isFile: entry.isFile(),
    }))
  },
  syncDirectory: async (path) => {
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}

async function openFile(
  path: string,
  flags: string | number,
): Promise<OpenFile & { readonly isRegular: () => Promise<boolean> }> {
  const file = await open(path, flags, 0o600)
  return {
    write: async (bytes, position) =>
      (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    read: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
    datasync: () => file.datasync(),
    sync: () => file.sync(),
    truncate: (size) => file.truncate(size),
    size: async () => (await file.stat()).size,
    isRegular: async () => (await file.stat()).isFile(),
    close: () => file.close(),
  }
}

/**
 * Writes all of `bytes`: a full disk takes a part and says nothing, until the next write fails.
 * @throws when a write fails or takes nothing
 */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const taken = await file.write(bytes.subarray(written), position + written)
    if (taken <= 0) throw new Error('a write took no bytes')
    written += taken
  }
}

/** Reads until `into` is full or the file ends; answers how many bytes came. */
export async function readAll(file: OpenFile, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const came = await file.read(into.subarray(filled), position + filled)
    if (came === 0) break
    filled += came
  }
  return filled
}
