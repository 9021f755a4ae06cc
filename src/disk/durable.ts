/** Files that are on disk, whole, or not at all. @module */
import { dirname } from 'node:path'
import { writeAll, type FilePort } from './files.ts'

/**
 * Writes a file that must not exist yet. Its content is durable; its name is durable once the directory
 * is synced.
 */
export async function writeNewFile(
  files: FilePort,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = await files.create(path)
  try {
    await writeAll(file, bytes, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The name of a file while it is being written. A crash may leave it behind. */
export function unfinishedName(path: string): string {
  return `${path}.next`
}

/**
 * Writes a file or replaces it. A reader sees either the old bytes or the new ones, whole. The file and
 * its name are durable when this resolves.
 */
export async function replaceFile(files: FilePort, path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = unfinishedName(path)
  await files.remove(unfinished)
  await writeNewFile(files, unfinished, bytes)
  await files.rename(unfinished, path)
  await files.syncDirectory(dirname(path))
}

/**
 * Writes a file from pieces, or replaces it, as `replaceFile` does. What is unfinished is removed again if
 * a piece cannot be read or written.
 * @param unfinished its name meanwhile, if other processes may write the same file
 * @param check called when the content is durable, before the file gets its name
 */
export async function replaceFileByPieces(
  files: FilePort,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  {
    unfinished = unfinishedName(path),
    check,
  }: { readonly unfinished?: string; readonly check?: (unfinished: string) => Promise<void> } = {},
): Promise<void> {
  await files.remove(unfinished)
  try {
    const file = await files.create(unfinished)
    try {
      let position = 0
      for await (const piece of pieces) {
        await writeAll(file, piece, position)
        position += piece.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await check?.(unfinished)
    await files.rename(unfinished, path)
  } catch (error) {
    await files.remove(unfinished)
    throw error
  }
  await files.syncDirectory(dirname(path))
}
