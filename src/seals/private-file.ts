/** Reads small secret files that nobody else may read. @module */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../disk/error-code.ts'
import { SealRefused } from './seal.ts'

export interface PrivateFile {
  readonly path: string
  /** What refusals call it: `key file`. */
  readonly name: string
  /** In bytes. */
  readonly sizeMin: number
  readonly sizeMax: number
}

/**
 * Reads the file anew, so that its bytes need not be kept. The caller overwrites them.
 * @throws {SealRefused} unless it is a regular file of the server's user that nobody else can read, or one of
 *   root's that root gave to the server
 */
export async function readPrivateFile(wanted: PrivateFile): Promise<Buffer> {
  const { file, size } = await openPrivateFile(wanted)
  try {
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await file.read(bytes, 0, size, 0)
    if (bytesRead === size) return bytes
    throw new SealRefused(`${wanted.name} ${wanted.path} could not be read whole`)
  } finally {
    await file.close()
  }
}

/** Opens the file. The caller closes it. @throws {SealRefused} as `readPrivateFile` */
export async function openPrivateFile({
  path,
  name,
  sizeMin,
  sizeMax,
}: PrivateFile): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await openForReading(path, name)
  try {
    // Checks the open file rather than its name, so that nobody can replace it between check and
    // read.
    const { mode, size, uid } = await file.stat()
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) {
      throw new SealRefused(`${name} ${path} is not a regular file`)
    }
    const isGiven = isGivenByRoot(path, uid)
    if ((mode & (isGiven ? 0o037 : 0o077)) !== 0) {
      throw new SealRefused(`${name} ${path} is open to other users: chmod 600 it`)
    }
    if (!isGiven && process.geteuid !== undefined && uid !== process.geteuid()) {
      throw new SealRefused(`${name} ${path} belongs to another user`)
    }
    if (size < sizeMin || size > sizeMax) {
      const wanted = sizeMin === sizeMax ? `${sizeMin}` : `${sizeMin} to ${sizeMax}`
      throw new SealRefused(`${name} ${path} has ${size} bytes, not ${wanted}`)
    }
    return { file, size }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Root gives a file to another user by its group, as Kubernetes does with a Secret. A server that runs as
 * root has no group of its own. There the file must be a credential of systemd, which shows the server's
 * access as the group's.
 * @see https://systemd.io/CREDENTIALS/
 */
function isGivenByRoot(path: string, uid: number): boolean {
  if (uid !== 0) return false
  const isRoot = process.geteuid?.() === 0
  return !isRoot || dirname(path) === process.env['CREDENTIALS_DIRECTORY']
}

async function openForReading(path: string, name: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, a pipe of that name would block the start forever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    return await open(path, flags)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw new SealRefused(`${name} ${path} is missing`)
    if (code === 'ELOOP') throw new SealRefused(`${name} ${path} is a symbolic link`)
    if (code === 'EACCES') throw new SealRefused(`${name} ${path} cannot be read by this user`)
    throw error
  }
}
