/**
 * The offline verifier: checks every stream of a journal from its first segment, as
 * docs/audit-journal.md specifies. It reads window by window, so its memory use does not grow with the
 * journal.
 *
 * Event ids must be unique over all streams. They are kept in a set up to a limit. Beyond it, the set
 * is discarded and the journal is read again once for each share of the ids, split by hash, that fits
 * in memory. The result is exact, with the same memory and more reading.
 * @module
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { genesis, type StreamStart } from '../../model/audit-writer.ts'
import { nodeFiles, type FilePort } from '../../disk/files.ts'
import { eventIdOf, isStreamName, recordTextOf, type Frame } from '../journal/frame.ts'
import { segmentName } from '../journal/segment-reader.ts'
import { listSegments, walkStream, type StreamFiles } from '../journal/walk-stream.ts'

/** Where and why a journal is not whole. */
export interface JournalBreak {
  /** Path within the journal's directory. */
  readonly file: string
  readonly offset: number
  readonly why: string
}

export interface StreamReport {
  readonly stream: string
  readonly segments: number
  readonly records: number
  /** Times of the first and the last record, ISO 8601; undefined without records. */
  readonly firstTime: string | undefined
  readonly lastTime: string | undefined
  /** The last position up to which the chain could be followed. */
  readonly head:
    | { readonly segment: number; readonly offset: number; readonly hash: string }
    | undefined
  /** Whether the last segment was closed. If not, the server is running or did not stop cleanly. */
  readonly closed: boolean
}

export interface JournalReport {
  readonly whole: boolean
  readonly segments: number
  readonly records: number
  readonly streams: readonly StreamReport[]
  /** The first breaks; `breakCount` is the number of all. */
  readonly breaks: readonly JournalBreak[]
  readonly breakCount: number
}

export interface VerifyOptions {
  readonly files?: FilePort
  /** The most event ids held in memory at once, about 100 bytes each. */
  readonly eventIdsMax?: number
  /** The beginning of a stream; its genesis if undefined. */
  readonly firstOf?: (stream: string) => StreamStart | undefined
  /** Called with each frame that counts; returns what is wrong with it, or undefined. */
  readonly onFrame?: (
    stream: string,
    frame: Frame,
    at: { readonly segment: number; readonly offset: number },
  ) => string | undefined
}

const breaksMax = 100

interface Verification extends Pick<VerifyOptions, 'firstOf' | 'onFrame'> {
  readonly files: FilePort
  readonly directory: string
  readonly breaks: JournalBreak[]
  breakCount: number
  readonly eventIdsMax: number
  /** Event ids seen; undefined once there were too many. */
  seen: Set<string> | undefined
  /** Kept separately, because they are discarded with `seen` and found again share by share. */
  duplicates: JournalBreak[]
  duplicateCount: number
}

/**
 * Checks the journal in `directory`.
 * @throws when a directory or file cannot be read
 */
export async function verifyJournal(
  directory: string,
  options: VerifyOptions = {},
): Promise<JournalReport> {
  const { files = nodeFiles, eventIdsMax = 1_000_000 } = options
  const entries = await files.list(directory)
  const names = entries.filter((entry) => entry.isDirectory && isStreamName(entry.name))
  const verification: Verification = {
    files,
    directory,
    ...(options.firstOf && { firstOf: options.firstOf }),
    ...(options.onFrame && { onFrame: options.onFrame }),
    breaks: [],
    breakCount: 0,
    eventIdsMax,
    seen: new Set(),
    duplicates: [],
    duplicateCount: 0,
  }
  const streams: StreamReport[] = []
  for (const name of names.map((entry) => entry.name).sort()) {
    streams.push(await verifyStream(verification, name))
  }
  const records = sum(streams.map((stream) => stream.records))
  const segments = sum(streams.map((stream) => stream.segments))
  if (segments === 0)
    report(verification, { file: '.', offset: 0, why: 'there is no journal here' })
  const shares = verification.seen === undefined ? Math.ceil(records / eventIdsMax) : 0
  for (let share = 0; share < shares; share += 1) {
    await findDuplicates(verification, streams, share, shares)
  }
  const breaks = [...verification.breaks, ...verification.duplicates].slice(0, breaksMax)
  const breakCount = verification.breakCount + verification.duplicateCount
  return { whole: breakCount === 0, segments, records, streams, breaks, breakCount }
}

async function verifyStream(verification: Verification, stream: string): Promise<StreamReport> {
  const { files, directory } = verification
  const home: StreamFiles = { files, directory, stream }
  const { foreign } = await listSegments(home)
  for (const name of foreign) {
    report(verification, {
      file: join(stream, name),
      offset: 0,
      why: 'this is not the name of a segment',
    })
  }
  let segments = 0
  let records = 0
  let firstTime: number | undefined
  let lastTime: number | undefined
  let head: StreamReport['head']
  let closed = false
  const first = verification.firstOf?.(stream) ?? genesis
  const walk = walkStream(home, first.segment, (frame, offset, number) => {
    const at = { file: join(stream, segmentName(number)), offset }
    const other = verification.onFrame?.(stream, frame, { segment: number, offset })
    if (other !== undefined) report(verification, { ...at, why: other })
    if (frame.kind !== 'record') return
    records += 1
    firstTime ??= frame.time
    lastTime = frame.time
    const why = recordFlaw(frame)
    if (why !== undefined) report(verification, { ...at, why })
    noteEventId(verification, frame, at)
  })
  for await (const { number, name, place, flaw, predecessor } of walk) {
    if (number === first.segment && place && (predecessor?.hash ?? null) !== first.hash) {
      const why = 'the stream does not begin where the list of writers says'
      report(verification, { file: join(stream, name), offset: 0, why })
    }
    if (flaw !== undefined) {
      report(verification, { file: join(stream, name), offset: flaw.offset, why: flaw.why })
    }
    if (place === undefined) continue
    segments += 1
    head = { segment: number, offset: place.offset, hash: place.hash.toString('hex') }
    closed = place.closed
  }
  const times = { firstTime: iso(firstTime), lastTime: iso(lastTime) }
  return { stream, segments, records, ...times, head, closed }
}

/** What is wrong with a record of a whole frame, or undefined. */
function recordFlaw(frame: Frame): string | undefined {
  if (Number.isNaN(new Date(frame.time).getTime())) return 'the time is out of range'
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(recordTextOf(frame.payload))
    const record: unknown = JSON.parse(text)
    if (typeof record !== 'object' || record === null) return 'the record is not a JSON object'
    const named = 'eventID' in record ? record.eventID : undefined
    return named === eventIdOf(frame.payload) ? undefined : 'the record names another event id'
  } catch {
    return 'the record is not valid JSON'
  }
}

type At = Pick<JournalBreak, 'file' | 'offset'>

function noteEventId(verification: Verification, frame: Frame, at: At): void {
  const { seen, eventIdsMax } = verification
  if (seen === undefined) return
  const eventId = frame.payload.toString('latin1', 0, 16)
  if (seen.has(eventId)) {
    reportDuplicate(verification, frame, at)
  } else if (seen.size < eventIdsMax) {
    seen.add(eventId)
  } else {
    verification.seen = undefined
    verification.duplicates = []
    verification.duplicateCount = 0
  }
}

async function findDuplicates(
  verification: Verification,
  streams: readonly StreamReport[],
  share: number,
  shares: number,
): Promise<void> {
  const { files, directory } = verification
  const seen = new Set<string>()
  for (const { stream } of streams) {
    const from = verification.firstOf?.(stream)?.segment ?? 1
    const walk = walkStream({ files, directory, stream }, from, (frame, offset, number) => {
      if (frame.kind !== 'record') return
      const eventId = frame.payload.subarray(0, 16)
      if (hash('sha256', eventId, 'buffer').readUInt32BE(0) % shares !== share) return
      const key = eventId.toString('latin1')
      const at = { file: join(stream, segmentName(number)), offset }
      if (seen.has(key)) reportDuplicate(verification, frame, at)
      else seen.add(key)
    })
    for await (const segment of walk) void segment
  }
}

function report(verification: Verification, found: JournalBreak): void {
  verification.breakCount += 1
  if (verification.breaks.length < breaksMax) verification.breaks.push(found)
}

function reportDuplicate(verification: Verification, frame: Frame, at: At): void {
  const why = `event ${eventIdOf(frame.payload)} occurs a second time`
  verification.duplicateCount += 1
  if (verification.duplicates.length < breaksMax) verification.duplicates.push({ ...at, why })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function iso(time: number | undefined): string | undefined {
  const date = new Date(time ?? NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
