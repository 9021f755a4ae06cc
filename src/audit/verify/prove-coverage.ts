/**
 * Checks that delivered files cover the journal: every record that the operator's trail takes is in one
 * of its files, or waits to be delivered, as the rows of the database say.
 * @module
 */
import type { JournalRange } from '../../model/delivery.ts'
import type { TrailRecord } from '../../model/trail.ts'
import type { StoredDelivery } from '../../store/offline.ts'
import { recordTextOf } from '../journal/frame.ts'
import { recordName } from './delivered-files.ts'
import type { JournalBreak } from './verify.ts'
import { walkStream } from '../journal/walk-stream.ts'
import { segmentName } from '../journal/segment-reader.ts'
import type { WritersList } from '../journal/writers-list.ts'
import { trailed } from '../delivery/cut.ts'
import type { JournalHome } from '../delivery/read-range.ts'
import { operatorTrailName } from '../delivery/trails.ts'

/** A file that is in the archive, or about to be delivered. */
export interface CoveringFile {
  readonly region: string
  readonly range: JournalRange
  readonly rule: TrailRecord
}

export interface Coverage {
  readonly breaks: readonly JournalBreak[]
  /**
   * Records that wait to be delivered, according to the database's rows or because they are too young.
   */
  readonly undelivered: number
}

/**
 * Used when the rows cannot be read, because a server has the database open. That server makes files
 * every few minutes, so records younger than this, measured from the journal's last record, may still
 * wait.
 */
const waitingMsMax = 15 * 60_000
const breaksMax = 100

export async function proveCoverage(of: {
  readonly journal: JournalHome
  readonly list: WritersList
  readonly covering: readonly CoveringFile[]
  /** Records in log files that no digest names yet, by `recordName`: their ranges are unknown. */
  readonly unlistedRecords: ReadonlySet<string>
  readonly stored: StoredDelivery | undefined
}): Promise<Coverage> {
  const { journal, list, unlistedRecords, stored } = of
  const covered = rangesOf([...of.covering, ...waiting(stored)])
  const newest = stored === undefined ? await newestTime(journal, list) : 0
  const breaks: JournalBreak[] = []
  const isUnlisted = (text: string): boolean =>
    unlistedRecords.size > 0 && unlistedRecords.has(recordName(JSON.parse(text)))
  let undelivered = 0
  for (const { stream, first } of list.writers) {
    const cursor = stored?.cursors.get(stream)
    let gap: { readonly segment: number; readonly offset: number; records: number } | undefined
    const close = (): void => {
      if (gap === undefined) return
      const why = `no delivered file holds the ${gap.records} records from here on`
      const file = `${stream}/${segmentName(gap.segment)}`
      if (breaks.length < breaksMax) breaks.push({ file, offset: gap.offset, why })
      gap = undefined
    }
    const walk = walkStream({ ...journal, stream }, first.segment, (frame, offset, segment) => {
      if (frame.kind !== 'record') return
      const text = recordTextOf(frame.payload).toString('utf8')
      const record = trailedOrNothing(text)
      if (record === undefined) return
      const { recipientAccountId: account, awsRegion: region, time } = record
      const place = [account, region, stream, segment].join('/')
      const isCovered = covered.get(place)?.some(({ from, to }) => from <= offset && offset < to)
      if (isCovered === true || isUnlisted(text)) return close()
      const waits =
        stored === undefined
          ? time > newest - waitingMsMax
          : cursor === undefined ||
            segment > cursor.segment ||
            (segment === cursor.segment && offset >= cursor.offset)
      if (waits) undelivered += 1
      else if (gap === undefined) gap = { segment, offset, records: 1 }
      else gap.records += 1
    })
    for await (const walked of walk) void walked // its flaws are reported for the journal
    close()
  }
  return { breaks, undelivered }
}

/**
 * Log files that the rows name: their bytes are still with the server, or their digest is not made yet.
 */
function waiting(stored: StoredDelivery | undefined): readonly CoveringFile[] {
  return (stored?.files ?? []).flatMap(({ kind, region, range, rule }) =>
    kind === 'log' && range !== undefined && rule !== undefined ? [{ region, range, rule }] : [],
  )
}

function rangesOf(files: readonly CoveringFile[]): ReadonlyMap<string, readonly JournalRange[]> {
  const ranges = new Map<string, JournalRange[]>()
  for (const { region, range, rule } of files) {
    // Only the operator's trail takes everything; an account's trail may have been stopped for a while.
    if (rule.name !== operatorTrailName || rule.createdAt !== 0) continue
    const place = [rule.accountId, region, range.stream, range.segment].join('/')
    const known = ranges.get(place)
    if (known === undefined) ranges.set(place, [range])
    else known.push(range)
  }
  return ranges
}

async function newestTime(journal: JournalHome, list: WritersList): Promise<number> {
  let newest = 0
  for (const { stream, first } of list.writers) {
    const walk = walkStream({ ...journal, stream }, first.segment, (frame) => {
      if (frame.kind !== 'record') return
      const record = trailedOrNothing(recordTextOf(frame.payload).toString('utf8'))
      newest = Math.max(newest, record?.time ?? 0)
    })
    for await (const walked of walk) void walked
  }
  return newest
}

/** Anything that is not JSON is already reported as a break of the journal. */
function trailedOrNothing(text: string): ReturnType<typeof trailed> {
  try {
    return trailed(text)
  } catch {
    return undefined
  }
}

/**
 * Objects that must be in the archive according to the rows: the last digest of each chain, and log
 * files that wait for their digest.
 */
export function expectedObjects(
  stored: StoredDelivery,
): readonly { readonly key: string; readonly hash: string }[] {
  const onTheirWay = new Set(stored.files.flatMap((file) => (file.isDelivered ? [] : [file.key])))
  const delivered = stored.files.filter(({ isDelivered }) => isDelivered)
  return [...stored.lastDigests, ...delivered].filter(({ key }) => !onTheirWay.has(key))
}
