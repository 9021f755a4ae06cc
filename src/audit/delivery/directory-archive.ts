/**
 * A directory that stands for one bucket: each object is a file named by its key. A bucket would keep a
 * digest's signature as metadata; here it lies in `<file>.metadata.json`.
 * @module
 */
import { dirname, join } from 'node:path'
import { replaceFile } from '../../disk/durable.ts'
import type { FilePort } from '../../disk/files.ts'
import type { Archive } from './archive.ts'

export const metadataSuffix = '.metadata.json'

export function createDirectoryArchive(files: FilePort, directory: string): Archive {
  const put = async (key: string, bytes: Uint8Array): Promise<void> => {
    const path = join(directory, key)
    await refuseLinks(files, directory, dirname(key))
    await files.makeDirectory(dirname(path))
    await replaceFile(files, path, bytes)
    // The names of new directories must also survive a power cut.
    for (let at = dirname(path); at !== directory && at !== dirname(at); at = dirname(at)) {
      await files.syncDirectory(dirname(at))
    }
  }
  return {
    encrypts: false,
    async put({ key, bytes, metadata, kmsKeyId }) {
      // A caller that asks for encryption must not get a plain file.
      if (kmsKeyId !== undefined) throw new Error('a directory encrypts nothing')
      if (Object.keys(metadata).length > 0) {
        await put(`${key}${metadataSuffix}`, Buffer.from(`${JSON.stringify(metadata)}\n`))
      }
      await put(key, bytes)
    },
    close: () => Promise.resolve(),
  }
}

/** Refuses symbolic links below the archive, which would lead its files elsewhere. @throws */
async function refuseLinks(files: FilePort, directory: string, below: string): Promise<void> {
  let at = directory
  for (const name of below.split('/')) {
    const entries = await files.list(at).catch(() => [])
    const found = entries.find((entry) => entry.name === name)
    if (found === undefined) return
    at = join(at, name)
    if (!found.isDirectory) throw new Error(`${at} is a link, or not a directory`)
  }
}
