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
