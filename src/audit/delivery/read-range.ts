/**
 * Reads the journal's records between two positions, one stretch at a time, so that memory use is
 * bounded. It checks the hash chain on the way.
 * @module
 */
import { join } from 'node:path'
import type { DeliveryCursor, JournalRange } from '../../model/delivery.ts'
import { codeOf } from '../../disk/error-code.ts'
import type { FilePort, OpenFile } from '../../disk/files.ts'
import { headerBytes, recordTextOf } from '../journal/frame.ts'
import { readHead, scanFrames, segmentName, type Head } from '../journal/segment-reader.ts'

export interface JournalHome {
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
}

export interface Stretch {
  readonly range: JournalRange
  readonly records: readonly string[]
  /** The position of the next stretch. */
  readonly next: DeliveryCursor
  /** Why the rest of the segment cannot be read; the next stretch begins behind it. */
  readonly damage?: string
}

/** Bytes of frames; a stretch is parsed and compressed as a whole. */
const stretchBytesMax = 4 * 1024 * 1024

/**
 * Reads the stretch that begins at `from`.
 * @param until where it ends at the latest: a position between two frames
 * @returns undefined when `from` is there already
 * @throws when the last segment cannot be read; a later attempt may succeed
 */
export async function readStretch(
  home: JournalHome,
  from: DeliveryCursor,
  until: { readonly segment: number; readonly offset: number },
): Promise<Stretch | undefined> {
  const { stream, segment } = from
  if (segment > until.segment || (segment === until.segment && from.offset >= until.offset)) {
    return undefined
  }
  const isLast = segment === until.segment
  try {
    // In a segment that is over, the successor says what counts.
    const end = isLast ? until.offset : await endOf(home, stream, segment)
    return await withSegment(home, stream, segment, (file, head) =>
      stretchOf(file, head, { from, end, isLast }),
    )
  } catch (error) {
    if (isLast || codeOf(error) !== 'ENOENT') throw error
    // A missing segment must not keep those behind it from being delivered.
    const range = { stream, segment, from: from.offset, to: from.offset }
    const next = { stream, segment: segment + 1, offset: 0 }
    return { range, records: [], next, damage: 'the segment, or the one behind it, is missing' }
  }
}

async function stretchOf(
  file: OpenFile,
  head: Head,
  of: { readonly from: DeliveryCursor; readonly end: number; readonly isLast: boolean },
): Promise<Stretch> {
  const { from, end, isLast } = of
  const { stream, segment } = from
  const start = Math.max(from.offset, head.place.offset)
  const over = { stream, segment: segment + 1, offset: 0 }
  const records: string[] = []
  const limit = Math.min(end, start + stretchBytesMax)
  const hash = await hashBefore(file, start, head)
  const scan = await scanFrames(file, { ...head.place, offset: start, hash }, limit, (frame) => {
    if (frame.kind === 'record') records.push(recordTextOf(frame.payload).toString('utf8'))
  })
  const to = Math.max(start, scan.place.offset)
  const range = { stream, segment, from: start, to }
  if (to >= end) return { range, records, next: isLast ? { stream, segment, offset: to } : over }
  if (to > start) return { range, records, next: { stream, segment, offset: to } }
  return { range, records, next: over, damage: scan.why ?? 'the segment ends too soon' }
}

/** The 32 bytes before a position between two frames are the hash of the frame before it. */
async function hashBefore(file: OpenFile, offset: number, head: Head): Promise<Buffer> {
  if (offset === head.place.offset) return head.place.hash
  const hash = Buffer.alloc(32)
  await file.read(hash, Math.max(headerBytes, offset - 32))
  return hash
}

/**
 * Reads the records of one range that `readStretch` returned. @throws when they cannot be read whole
 */
export async function readRange(
  home: JournalHome,
  { stream, segment, from, to }: JournalRange,
): Promise<readonly string[]> {
  return withSegment(home, stream, segment, async (file, head) => {
    const records: string[] = []
    const hash = await hashBefore(file, from, head)
    const place = { ...head.place, offset: from, hash }
    const scan = await scanFrames(file, place, to, (frame) => {
      if (frame.kind === 'record') records.push(recordTextOf(frame.payload).toString('utf8'))
    })
    if (scan.why !== undefined) throw new Error(scan.why)
    return records
  })
}

async function endOf(home: JournalHome, stream: string, segment: number): Promise<number> {
  const offset = await withSegment(home, stream, segment + 1, (_file, head) =>
    Promise.resolve(head.predecessor?.offset),
  )
  return offset ?? 0
}

async function withSegment<T>(
  { files, directory }: JournalHome,
  stream: string,
  number: number,
  use: (file: OpenFile, head: Head) => Promise<T>,
): Promise<T> {
  const path = join(directory, stream, segmentName(number))
  const file = await files.openToRead(path)
  try {
    const head = await readHead(file, { stream, number })
    if ('why' in head) throw new Error(`${path}: ${head.why}`)
    return await use(file, head)
  } finally {
    await file.close()
  }
}
