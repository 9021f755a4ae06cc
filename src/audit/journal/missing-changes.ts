/**
 * Changes that the journal holds and the database does not: their records carry numbers above the database's
 * last one.
 *
 * A crash alone never looks like that: a change is durable in the database before its record is written to
 * the journal. It takes a database that went back: a lost or damaged write-ahead log, or an older copy.
 * @module
 */
import { hash } from 'node:crypto'
import { changeNumberOf } from '../../model/change-number.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import { recordTextOf, type Frame } from './frame.ts'
import { walkStream } from './walk-stream.ts'

export interface MissingChanges {
  /** Names just this state: a change of the database or of the missing records gives another. */
  readonly id: string
  readonly records: number
  /** The lowest and the highest number of a missing change. */
  readonly first: number
  readonly last: number
  /** The last change that the database holds. */
  readonly stored: number
  /** ARNs of the keys that the records name, the first of them in the journal's order. */
  readonly keys: readonly string[]
  /** How many keys there are; more than that are not told apart. */
  readonly keyCount: number
}

const keysToldMax = 100
const keysCountedMax = 100_000

export interface MissingChangesSearch {
  /** Looks at a frame that counts. */
  see(frame: Frame): void
  /** What is missing; undefined when the database holds every change. */
  found(): MissingChanges | undefined
}

/** @param stored the number of the last change that the database holds */
export function searchMissingChanges(stored: number): MissingChangesSearch {
  const keys = new Set<string>()
  let records = 0
  let first = Infinity
  let last = 0
  let id = hash('sha256', `missing changes after ${stored}`, 'hex')
  return {
    see({ kind, payload }) {
      // Most records are of no change: they are not parsed.
      if (kind !== 'record' || !payload.includes('"change":')) return
      const record = parsed(payload)
      const change = changeNumberOf(record)
      if (change === undefined || change <= stored) return
      records += 1
      first = Math.min(first, change)
      last = Math.max(last, change)
      id = hash('sha256', `${id} ${hash('sha256', payload, 'hex')}`, 'hex')
      for (const arn of keysOf(record)) if (keys.size < keysCountedMax) keys.add(arn)
    },
    found() {
      if (records === 0) return undefined
      const told = [...keys].slice(0, keysToldMax)
      return { id: id.slice(0, 16), records, first, last, stored, keys: told, keyCount: keys.size }
    },
  }
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(recordTextOf(payload).toString('utf8'))
  } catch {
    return undefined // the verifier tells of it
  }
}

function keysOf(record: unknown): readonly string[] {
  const { resources } = Object(record) as { readonly resources?: unknown } // checked below
  if (!Array.isArray(resources)) return []
  return resources.flatMap((resource: unknown) => {
    const { ARN: arn, type } = Object(resource) as Readonly<Record<string, unknown>>
    return typeof arn === 'string' && type === 'AWS::KMS::Key' ? [arn] : []
  })
}

/**
 * Searches the journal from the checkpoints on that the database knows. What lies before such a checkpoint
 * is in the database: the checkpoint was stored behind the changes before it.
 */
export async function findMissingChanges(
  home: {
    readonly files: FilePort
    readonly directory: string
    readonly streams: readonly string[]
  },
  database: {
    readonly changes: number
    readonly checkpoints: readonly { readonly stream: string; readonly text: string }[]
  },
): Promise<MissingChanges | undefined> {
  const search = searchMissingChanges(database.changes)
  // In one order, so that the state has one id.
  for (const stream of home.streams.toSorted()) {
    const known = database.checkpoints.find((each) => each.stream === stream)
    const from = readCheckpoint(known?.text ?? '')?.segment ?? 1
    const walk = walkStream({ ...home, stream }, from, (frame) => search.see(frame))
    for await (const segment of walk) void segment // what is damaged is told by whoever opens it
  }
  return search.found()
}
