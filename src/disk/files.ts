/**
 * The file system as a port: tests can cut writes short, fill the disk and make a sync fail. The real
 * one uses only asynchronous calls.
 * @module
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'

export interface OpenFile {
  /** Writes at `position` and returns the number of bytes written, which may be fewer than given. */
  readonly write: (bytes: Uint8Array, position: number) => Promise<number>
  /** Fills `into` from `position` and returns the number of bytes read, 0 at the end of the file. */
  readonly read: (into: Uint8Array, position: number) => Promise<number>
  /** Makes the content durable, with the metadata that is needed to read it. */
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
  /** Creates a file of mode 0600; it must not exist yet. */
  readonly create: (path: string) => Promise<OpenFile>
  /** Creates a file in the same way. Bytes that a write reports as written are durable. */
  readonly createDurable: (path: string) => Promise<OpenFile>
  readonly openToRead: (path: string) => Promise<OpenFile>
  /** Replaces the file `to`. Durable once the directory is synced. */
  readonly rename: (from: string, to: string) => Promise<void>
  /** Removes a file; a missing file is not an error. */
  readonly remove: (path: string) => Promise<void>
  /** Makes a directory of mode 0700, and its parents. */
  readonly makeDirectory: (path: string) => Promise<void>
  readonly list: (directory: string) => Promise<readonly DirectoryEntry[]>
  readonly syncDirectory: (path: string) => Promise<void>
  /** Free bytes on the file system of `path` for an ordinary user. */
  readonly freeBytes: (path: string) => Promise<number>
}

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL

/** The file port over `node:fs`, through libuv's pool. */
export const nodeFiles: FilePort = {
  create: (path) => openFile(path, newFile),
  async createDurable(path) {
    // One system call writes and syncs. Elsewhere than on Linux, the flag promises less than a sync.
    if (process.platform === 'linux') return openFile(path, newFile | constants.O_DSYNC)
    return syncEachWrite(await openFile(path, newFile))
  },
  async openToRead(path) {
    // A pipe of that name would block the reader for ever; a link may lead outside the data directory.
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
  flags: number,
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

/** Makes each write of a file durable by a sync. */
export function syncEachWrite(file: OpenFile): OpenFile {
  return {
    ...file,
    async write(bytes, position) {
      const written = await file.write(bytes, position)
      await file.datasync()
      return written
    },
  }
}

/**
 * Writes all of `bytes`. A full disk writes a part without an error, and only the next write fails.
 * @throws when a write fails or writes nothing
 */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const taken = await file.write(bytes.subarray(written), position + written)
    if (taken <= 0) throw new Error('a write took no bytes')
    written += taken
  }
}

/** Reads until `into` is full or the file ends; returns the number of bytes read. */
export async function readAll(file: OpenFile, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const came = await file.read(into.subarray(filled), position + filled)
    if (came === 0) break
    filled += came
  }
  return filled
}

const pieceBytes = 2 ** 18

/** Yields the bytes of a file in order. */
export async function* piecesOf(files: FilePort, path: string): AsyncGenerator<Buffer> {
  const file = await files.openToRead(path)
  try {
    for (let position = 0; ;) {
      const piece = Buffer.alloc(pieceBytes)
      const length = await readAll(file, piece, position)
      if (length === 0) return
      position += length
      yield piece.subarray(0, length)
    }
  } finally {
    await file.close()
  }
}
