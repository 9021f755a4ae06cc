/**
 * The bytes of files that wait for delivery, in `<data>/delivery/<sequence>.gz`. INVARIANT (same bytes
 * on retry): they are durable before the row that names them, and are never written again.
 * @module
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { writeNewFile } from '../../disk/durable.ts'
import { readAll, type FilePort } from '../../disk/files.ts'

export interface Spool {
  /** Makes the bytes durable; `settle` makes the names durable. */
  write(sequence: number, bytes: Uint8Array): Promise<void>
  settle(): Promise<void>
  /** @throws when the bytes differ from those written */
  read(sequence: number, bytesHash: string): Promise<Buffer>
  remove(sequences: readonly number[]): Promise<void>
}

/**
 * Opens the spool, and deletes files behind `last`, which an earlier process wrote before it could
 * store their rows.
 */
export async function openSpool(files: FilePort, directory: string, last: number): Promise<Spool> {
  await files.makeDirectory(directory)
  const pathOf = (sequence: number): string =>
    join(directory, `${String(sequence).padStart(12, '0')}.gz`)
  for (const { name } of await files.list(directory)) {
    const sequence = Number(/^(\d{12})\.gz$/.exec(name)?.[1] ?? 0)
    if (sequence > last) await files.remove(join(directory, name))
  }
  return {
    write: (sequence, bytes) => writeNewFile(files, pathOf(sequence), bytes),
    settle: () => files.syncDirectory(directory),
    async read(sequence, bytesHash) {
      const file = await files.openToRead(pathOf(sequence))
      try {
        const bytes = Buffer.alloc(await file.size())
        await readAll(file, bytes, 0)
        if (hash('sha256', bytes, 'hex') !== bytesHash) {
          throw new Error(`the bytes of delivery file ${sequence} were changed`)
        }
        return bytes
      } finally {
        await file.close()
      }
    },
    async remove(sequences) {
      for (const sequence of sequences) {
        await files.remove(pathOf(sequence))
      }
    },
  }
}
