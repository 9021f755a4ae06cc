/**
 * Finds changes that the journal holds and the database does not: their records have numbers above the
 * database's last one, or ids that the database does not have at these numbers.
 *
 * A crash alone cannot cause this, because a change is durable in the database before its record is
 * written to the journal. It means that the database went back: its write-ahead log was lost or
 * damaged, or an older copy was restored.
 * @module
 */
import { hash } from 'node:crypto'
import { changeOf, type RecordedChange } from '../../model/change-number.ts'
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

/**
 * @param stored the number of the last change that the database holds
 * @param lacks whether the database lacks a change, and nobody has accepted that
 */
export function searchMissingChanges(
  stored: number,
  lacks: (change: Partial<RecordedChange>) => boolean,
): MissingChangesSearch {
  const missing = gatherMissing(stored)
  return {
    see(frame) {
      const seen = seenIn(frame)
      if (seen !== undefined && lacks(seen)) missing.add(seen)
    },
    found: missing.found,
  }
}

/** What is kept of the record of a change. */
interface Seen extends Pick<RecordedChange, 'seq'>, Partial<Pick<RecordedChange, 'changeId'>> {
  /** Of the record; the id of the change where there is no record. */
  readonly hash: string
  readonly keys: readonly string[]
}

function seenIn({ kind, payload }: Frame): Seen | undefined {
  // Most records are not of a change, so they are not parsed.
  if (kind !== 'record' || !payload.includes('"change":')) return undefined
  const record = parsed(payload)
  const { seq, ...id } = changeOf(record)
  if (seq === undefined) return undefined
  return { seq, ...id, hash: hash('sha256', payload, 'hex'), keys: keysOf(record) }
}

function gatherMissing(stored: number): {
  readonly add: (seen: Seen) => void
  readonly found: () => MissingChanges | undefined
} {
  const keys = new Set<string>()
  let records = 0
  let first = Infinity
  let last = 0
  let id = hash('sha256', `missing changes after ${stored}`, 'hex')
  return {
    add(seen) {
      if (seen.hash !== seen.changeId) records += 1
      first = Math.min(first, seen.seq)
      last = Math.max(last, seen.seq)
      id = hash('sha256', `${id} ${seen.hash}`, 'hex')
      for (const arn of seen.keys) if (keys.size < keysCountedMax) keys.add(arn)
    },
    found() {
      if (last === 0) return undefined
      const listed = [...keys].slice(0, keysListedMax)
      const counted = { records, first, last, stored, keys: listed, keyCount: keys.size }
      return { id: id.slice(0, 16), ...counted }
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
    /** The last change that the node is known to have taken in, of whichever node. */
    readonly applied?: RecordedChange | undefined
  },
  database: {
    readonly changes: number
    readonly checkpoints: readonly { readonly stream: string; readonly text: string }[]
    /** Makes the argument of `searchMissingChanges`, for changes from this number on. */
    readonly lacksFrom: (seq: number) => Promise<(change: Partial<RecordedChange>) => boolean>
  },
): Promise<MissingChanges | undefined> {
  const seen: Seen[] = []
  // In a fixed order, so that the same state always gives the same id.
  for (const stream of home.streams.toSorted()) {
    const known = database.checkpoints.find((each) => each.stream === stream)
    const from = readCheckpoint(known?.text ?? '')?.segment ?? 1
    const walk = walkStream({ ...home, stream }, from, (frame) => {
      const change = seenIn(frame)
      if (change !== undefined) seen.push(change)
    })
    for await (const segment of walk) void segment // damage is reported when the stream is opened
  }
  const { applied } = home
  if (applied !== undefined && !seen.some(({ changeId }) => changeId === applied.changeId)) {
    seen.push({ ...applied, hash: applied.changeId, keys: [] })
  }
  if (seen.length === 0) return undefined
  const least = seen.reduce((one, { seq }) => Math.min(one, seq), Infinity)
  const lacks = await database.lacksFrom(least)
  const missing = gatherMissing(database.changes)
  for (const each of seen) if (lacks(each)) missing.add(each)
  return missing.found()
}
