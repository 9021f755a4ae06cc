/**
 * Finds changes that the journal holds and the database does not: their records have change numbers
 * above the database's last one.
 *
 * A crash alone cannot cause this, because a change is durable in the database before its record is
 * written to the journal. It means that the database went back: its write-ahead log was lost or
 * damaged, or an older copy was restored.
 * @module
 */
import { hash } from 'node:crypto'
import { changeNumberOf, lostChangesMax } from '../../model/change-number.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import { recordTextOf, type Frame } from './frame.ts'
import { walkStream } from './walk-stream.ts'

export interface MissingChanges {
  /**
   * Identifies exactly this state: any further change of the database or of the missing records gives
   * another id.
   */
  readonly id: string
  readonly records: number
  /** The lowest and the highest change number that is missing. */
  readonly first: number
  readonly last: number
  /** The number of the last change that the database holds. */
  readonly stored: number
  /** ARNs of keys that the records name, in the order of the journal; bounded. */
  readonly keys: readonly string[]
  /** The number of distinct keys; counting stops at a bound. */
  readonly keyCount: number
}

const keysListedMax = 100
const keysCountedMax = 100_000

export interface MissingChangesSearch {
  /** Examines a frame that counts. */
  see(frame: Frame): void
  /** The missing changes; undefined when the database holds every change. */
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
      // Most records are not of a change, so they are not parsed.
      if (kind !== 'record' || !payload.includes('"change":')) return
      const record = parsed(payload)
      const change = changeNumberOf(record)
      if (change === undefined || change <= stored || change - stored > lostChangesMax) return
      records += 1
      first = Math.min(first, change)
      last = Math.max(last, change)
      id = hash('sha256', `${id} ${hash('sha256', payload, 'hex')}`, 'hex')
      for (const arn of keysOf(record)) if (keys.size < keysCountedMax) keys.add(arn)
    },
    found() {
      if (records === 0) return undefined
      const listed = [...keys].slice(0, keysListedMax)
      return {
        id: id.slice(0, 16),
        records,
        first,
        last,
        stored,
        keys: listed,
        keyCount: keys.size,
      }
    },
  }
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(recordTextOf(payload).toString('utf8'))
  } catch {
    return undefined // the verifier reports it
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
 * Searches the journal from the checkpoints that the database knows. Everything before such a
 * checkpoint is in the database, because the checkpoint was stored after those changes.
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
  // In a fixed order, so that the same state always gives the same id.
  for (const stream of home.streams.toSorted()) {
    const known = database.checkpoints.find((each) => each.stream === stream)
    const from = readCheckpoint(known?.text ?? '')?.segment ?? 1
    const walk = walkStream({ ...home, stream }, from, (frame) => search.see(frame))
    for await (const segment of walk) void segment // damage is reported when the stream is opened
  }
  return search.found()
}
