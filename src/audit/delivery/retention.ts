/**
 * Deletes segments of the journal that ended longer ago than the retention, if all their records have
 * been delivered (where there is delivery). Before that, the signed list states the stream's new
 * beginning.
 * @module
 */
import { join } from 'node:path'
import type { AuditWriter } from '../../model/audit-writer.ts'
import type { Job } from '../../jobs/jobs.ts'
import type { Store } from '../../store/store.ts'
import { readCheckpoint, splitPayload } from '../journal/checkpoint.ts'
import { readHead, segmentName } from '../journal/segment-reader.ts'
import { listSegments, walkStream } from '../journal/walk-stream.ts'
import type { JournalHome } from './read-range.ts'

export interface RetentionDependencies {
  readonly home: JournalHome
  readonly store: Pick<
    Store,
    | 'listAuditWriters'
    | 'changeAuditWriter'
    | 'findDeliveryCursor'
    | 'firstUndeliveredSegment'
    | 'findIndexPosition'
  >
  /** Rewrites the signed list of the journal's writers. */
  readonly list: () => Promise<void>
  /** Whether records must have been delivered first. */
  readonly delivers: boolean
  readonly retentionMs: number
}

/** Period of the check by the clock of the jobs: segments are kept for days. */
const everyMs = 60_000

export function createRetention(dependencies: RetentionDependencies): Job {
  const { home, store, list, retentionMs } = dependencies
  let looked = -Infinity
  return {
    name: 'delete old segments of the journal',
    irreversible: true,
    async run(now) {
      if (Math.abs(now - looked) < everyMs) return false
      looked = now
      for (const writer of await store.listAuditWriters()) {
        const first = await newStart(dependencies, writer, now - retentionMs)
        if (first !== undefined) {
          await store.changeAuditWriter(writer.stream, { first })
          await list()
        }
        const start = first ?? writer.first
        const { numbers } = await listSegments({ ...home, stream: writer.stream })
        // Includes segments that an earlier process did not get to delete.
        const gone = numbers.filter((number) => number < start.segment)
        for (const number of gone) {
          await home.files.remove(join(home.directory, writer.stream, segmentName(number)))
        }
        if (gone.length > 0) await home.files.syncDirectory(join(home.directory, writer.stream))
      }
      return false
    },
  }
}

/**
 * Where a stream begins after segments older than `before` are deleted; undefined when none is. It is
 * never behind the last segment that holds a checkpoint, because that one proves the rest.
 */
async function newStart(
  dependencies: RetentionDependencies,
  { stream, first, checkpoint }: AuditWriter,
  before: number,
): Promise<AuditWriter['first'] | undefined> {
  const { home } = dependencies
  const anchored = readCheckpoint(checkpoint?.text ?? '')?.segment ?? first.segment
  const keep = Math.min(anchored, await firstNeeded(dependencies, stream))
  let start: AuditWriter['first'] | undefined
  const { numbers } = await listSegments({ ...home, stream })
  for (const number of numbers) {
    if (number < first.segment || number >= keep) continue
    const next = await headOf(home, stream, number + 1)
    // A segment ended when its successor was opened.
    if (next === undefined || next.created >= before) break
    const from = start ?? first
    const records = await countOf(dependencies, stream, number, from)
    start = { segment: number + 1, hash: next.hash, records }
  }
  return start
}

/** The first segment that delivery or the event index still needs. */
async function firstNeeded(
  { delivers, store }: RetentionDependencies,
  stream: string,
): Promise<number> {
  const indexed = (await store.findIndexPosition(stream))?.segment ?? 0
  if (!delivers) return indexed
  const cursor = await store.findDeliveryCursor(stream)
  const undelivered = await store.firstUndeliveredSegment(stream)
  return Math.min(indexed, cursor?.segment ?? 0, undelivered ?? Infinity)
}

async function headOf(
  { files, directory }: JournalHome,
  stream: string,
  number: number,
): Promise<{ readonly created: number; readonly hash: string } | undefined> {
  const file = await files.openToRead(join(directory, stream, segmentName(number)))
  try {
    const head = await readHead(file, { stream, number })
    if ('why' in head || head.predecessor === undefined) return undefined
    return { created: head.header.created, hash: head.predecessor.hash }
  } finally {
    await file.close()
  }
}

/** The number of records up to the end of segment `number`. */
async function countOf(
  { home }: RetentionDependencies,
  stream: string,
  number: number,
  from: AuditWriter['first'],
): Promise<number> {
  let { records } = from
  const walk = walkStream({ ...home, stream }, number, (frame, _offset, at) => {
    if (at !== number) return
    if (frame.kind === 'record') records += 1
    // A checkpoint's count is more reliable than counting across damage.
    if (frame.kind === 'checkpoint') {
      records = readCheckpoint(splitPayload(frame.payload).text)?.records ?? records
    }
  })
  for await (const { number: walked } of walk) if (walked >= number) break
  return records
}
