/**
 * The last change that a node is known to have taken in, kept in its data directory. The change may be of
 * another node. So a node that starts again finds that the database has gone back, although its own journal
 * holds nothing of what is lost.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../disk/durable.ts'
import type { FilePort } from '../disk/files.ts'
import type { RecordedChange } from '../model/change-number.ts'

const fileName = 'applied.json'

export interface Applied extends RecordedChange {
  readonly deploymentId: string
}

/** The change, if the file is of this deployment. A false file can only have a start refused. */
export async function readApplied(
  dataDirectory: string,
  deploymentId: string,
): Promise<RecordedChange | undefined> {
  const text = await readFile(join(dataDirectory, fileName), 'utf8').catch(() => '{}')
  try {
    const { deploymentId: named, seq, changeId } = Object(JSON.parse(text)) as Partial<Applied>
    const isWhole = Number.isSafeInteger(seq) && typeof changeId === 'string'
    return named === deploymentId && isWhole ? { seq: Number(seq), changeId } : undefined
  } catch {
    return undefined
  }
}

/**
 * A node calls it at each confirmation, once a second, if there are new changes. It must be durable: when a
 * machine and the primary lose power together, a standby takes over that may lack the last changes, and this
 * file is all that knows of them.
 */
export function writeApplied(
  dataDirectory: string,
  applied: Applied,
  files: FilePort,
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(applied)}\n`)
  return replaceFile(files, join(dataDirectory, fileName), bytes)
}
