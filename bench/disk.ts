/**
 * The disk alone: a loop that only makes bytes durable, as many a second as a server writes. Its latencies are
 * those below which no server can answer that waits for the same disk.
 * @module
 */
import { join } from 'node:path'
import { nodeFiles, writeAll } from '../src/disk/files.ts'
import { createLatencies, type Latencies } from './latencies.ts'

/** As large as a segment of the journal. */
const fileBytes = 16 * 2 ** 20
const chunkBytes = 2 ** 20

/** The writes of an open loop. */
export interface Writes {
  /** Records a second. */
  readonly rate: number
  /** Records in all. */
  readonly records: number
  /** Bytes of a record. */
  readonly bytes: number
}

/** Writes records to a preallocated file. Those that become due during a write share the next one. */
export async function writeAtRate(
  directory: string,
  { rate, records, bytes }: Writes,
): Promise<{ readonly seconds: number; readonly latencies: Latencies }> {
  const path = join(directory, 'disk')
  const file = await nodeFiles.createDurable(path)
  const latencies = createLatencies()
  try {
    const zeros = Buffer.alloc(chunkBytes)
    for (let at = 0; at < fileBytes; at += chunkBytes) await writeAll(file, zeros, at)
    const started = performance.now()
    const dueAt: number[] = []
    let due = 0
    let offset = 0
    while (latencies.count < records) {
      const now = performance.now()
      const until = Math.min(records, Math.floor(((now - started) * rate) / 1000))
      for (; due < until; due += 1) dueAt.push(now)
      const most = Math.floor(chunkBytes / bytes)
      const taken = dueAt.splice(0, most)
      if (taken.length === 0) {
        await new Promise((resolve) => void setTimeout(resolve, 1))
        continue
      }
      const size = Math.ceil(taken.length * bytes)
      if (offset + size > fileBytes) offset = 0
      await writeAll(file, Buffer.alloc(size, 1), offset)
      offset += size
      const durable = performance.now()
      for (const each of taken) latencies.add(durable - each)
    }
    return { seconds: (performance.now() - started) / 1000, latencies }
  } finally {
    await file.close()
    await nodeFiles.remove(path)
  }
}
