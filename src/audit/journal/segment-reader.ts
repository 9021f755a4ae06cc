/**
 * Reads a segment: its header, its chain of frames, and the bytes behind the last frame. The journal's
 * start, the outbox and the verifier all use it, so they agree on what counts. It holds at most one
 * window of the file in memory.
 * @module
 */
import { readAll, type OpenFile } from '../../disk/files.ts'
import {
  decodeFrame,
  decodeHeader,
  decodeOpening,
  frameBytesMax,
  frameSizeAt,
  headerBytes,
  syncedAt,
  type Frame,
  type Header,
  type Predecessor,
  type Version,
} from './frame.ts'

const windowBytes = 1024 * 1024
/**
 * The most bytes that a search for frames in a tail may hash. Whoever can write the file could fill it
 * with plausible beginnings of frames.
 */
const searchBytesMax = 256 * 1024 * 1024
const openingBytesMax = 4096

/** A flaw of a segment: its offset, and the reason. */
export interface Flaw {
  readonly offset: number
  readonly why: string
  /** The header is well formed, but its version is not known here. */
  readonly newer?: true
}

/** A position between two frames of a segment. Every frame before it is whole. */
export interface SegmentPosition {
  readonly offset: number
  /** Hash of the previous frame. */
  readonly hash: Buffer
  /** Whether that frame is a close. */
  readonly closed: boolean
  /** Of the segment's format. */
  readonly version: Version
}

export interface Head {
  readonly header: Header
  /** Undefined for the first segment of a stream. */
  readonly predecessor: Predecessor | undefined
  /** The position behind the first frame. */
  readonly place: SegmentPosition
}

/** File name of a segment: the byte order of names is the order of segments. */
export function segmentName(number: number): string {
  return `${String(number).padStart(12, '0')}.seg`
}

/** The number of a segment from its file's name, or undefined. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^(\d{12})\.seg$/.exec(name)?.[1]
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits)
}

/** Reads the header and the first frame. Every segment has both before it gets its name. */
export async function readHead(
  file: OpenFile,
  expected: { readonly stream: string; readonly number: number },
): Promise<Head | Flaw> {
  const space = Buffer.alloc(openingBytesMax)
  const bytes = space.subarray(0, await readAll(file, space, 0))
  const header = decodeHeader(bytes)
  if (typeof header === 'string') return { offset: 0, why: header }
  if ('unknownVersion' in header) {
    const why = `version ${header.unknownVersion} of the format is not known`
    return { offset: 0, why, newer: true }
  }
  if (header.stream !== expected.stream || header.number !== expected.number) {
    const why = `the header names segment ${header.number} of stream ${header.stream}`
    return { offset: 0, why }
  }
  const frame = decodeFrame(bytes, headerBytes)
  if (frame?.kind !== 'open') return { offset: headerBytes, why: 'the first frame is not whole' }
  const predecessor = decodeOpening(frame.payload)
  const chained = frame.previous.equals(bytes.subarray(104, headerBytes)) && frame.synced === 0
  if (!chained || predecessor === null) {
    return { offset: headerBytes, why: 'the first frame is not well formed' }
  }
  if ((predecessor?.segment ?? 0) !== header.number - 1) {
    return { offset: headerBytes, why: 'the first frame does not name the segment before' }
  }
  const place = {
    offset: headerBytes + frame.size,
    hash: Buffer.from(frame.hash),
    closed: false,
    version: header.version,
  }
  return { header, predecessor, place }
}

export type OnFrame = (frame: Frame, offset: number) => void

/**
 * Follows the chain from `from` to `limit`, or to the first frame that is not whole.
 * @param onFrame called with each frame; its buffers are valid until it returns
 * @returns the position where it stopped, and the reason if that is before `limit`
 */
export async function scanFrames(
  file: OpenFile,
  from: SegmentPosition,
  limit: number,
  onFrame: OnFrame,
): Promise<{ readonly place: SegmentPosition; readonly why?: string }> {
  const space = Buffer.allocUnsafe(Math.max(0, Math.min(windowBytes, limit - from.offset)))
  const head = Buffer.from(from.hash)
  const { version } = from
  let { offset, closed } = from
  let start = offset
  let window = space.subarray(0, 0)
  const stop = (why?: string) => ({
    place: { offset, hash: head, closed, version },
    ...(why && { why }),
  })
  while (offset < limit) {
    let frame = decodeFrame(window, offset - start)
    if (frame === undefined && start + window.length < limit) {
      start = offset
      const wanted = Math.min(space.length, limit - start)
      window = space.subarray(0, await readAll(file, space.subarray(0, wanted), start))
      frame = decodeFrame(window, 0)
    }
    if (frame === undefined) return stop('the frame is not whole')
    if (closed) return stop('a frame follows the last one')
    if (!frame.previous.equals(head)) return stop('the frame does not follow the one before it')
    const known = frame.kind !== 'checkpoint' || version > 1
    if (frame.kind === 'open' || !known || frame.synced > offset) {
      return stop('the frame is out of place')
    }
    onFrame(frame, offset)
    closed = frame.kind === 'close'
    frame.hash.copy(head)
    offset += frame.size
  }
  return stop()
}

/** The bytes behind the last frame that counts. */
export interface Tail {
  readonly blank: boolean
  /**
   * Why the bytes are damage, because they were durable once; undefined when they may be a torn write.
   */
  readonly damage?: string
}

/**
 * Searches a tail for a whole frame that was made when bytes at or behind `from` were durable. A torn
 * write cannot hold one: it was never synced, and nothing was written after it.
 */
export async function examineTail(file: OpenFile, from: number, size: number): Promise<Tail> {
  if (from >= size) return { blank: true }
  const space = Buffer.allocUnsafe(Math.min(windowBytes + frameBytesMax, size - from))
  const zeros = Buffer.alloc(Math.min(windowBytes, size - from))
  let searched = 0
  let blank = true
  for (let start = from; start < size; start += windowBytes) {
    const wanted = space.subarray(0, Math.min(space.length, size - start))
    const bytes = wanted.subarray(0, await readAll(file, wanted, start))
    const starts = Math.min(bytes.length, windowBytes)
    if (bytes.subarray(0, starts).equals(zeros.subarray(0, starts))) continue
    blank = false
    for (let at = 0; at < starts; at += 1) {
      const frameSize = bytes[at] === 0 ? frameSizeAt(bytes, at) : undefined
      if (frameSize === undefined) continue
      const synced = syncedAt(bytes, at)
      if (synced <= from || synced > start + at) continue
      searched += frameSize
      if (searched > searchBytesMax) {
        return { blank, damage: 'the bytes behind cannot be distinguished from damage' }
      }
      if (decodeFrame(bytes, at) !== undefined) {
        return {
          blank,
          damage: `a frame that was durable is damaged: one at ${start + at} proves it`,
        }
      }
    }
  }
  return { blank }
}

/**
 * Follows a stream's last segment to its end, and distinguishes a torn write from damage. A flaw is
 * checked twice, because the journal may be writing the segment.
 * @returns the last whole position, and the flaw when damage follows it
 */
export async function scanLastSegment(
  file: OpenFile,
  head: Head,
  onFrame: OnFrame,
): Promise<{ readonly place: SegmentPosition; readonly flaw?: Flaw }> {
  const { allocated } = head.header
  let place = head.place
  for (;;) {
    const size = await file.size()
    const scan = await scanFrames(file, place, size, onFrame)
    place = scan.place
    const tail = await examineTail(file, place.offset, size)
    const why = endFlaw(place, tail, size, allocated, scan.why)
    if (why === undefined) return { place }
    const again = await scanFrames(file, place, await file.size(), onFrame)
    if (again.place.offset === place.offset) return { place, flaw: { offset: place.offset, why } }
    place = again.place
  }
}

function endFlaw(
  place: SegmentPosition,
  tail: Tail,
  size: number,
  allocated: number,
  why = 'bytes follow the last frame',
): string | undefined {
  if (tail.damage !== undefined) return tail.damage
  // A trimmed file ends with its last frame, so nothing in it can be a torn write.
  if (size !== allocated && place.offset !== size) return why
  if (place.closed && !tail.blank) return 'bytes follow the last frame'
  return undefined
}

/**
 * Follows a segment up to the offset that its successor names.
 * @returns the flaw when the two do not agree
 */
export async function scanNamedSegment(
  file: OpenFile,
  head: Head,
  named: Predecessor,
  onFrame: OnFrame,
): Promise<{ readonly place: SegmentPosition; readonly flaw?: Flaw }> {
  const size = await file.size()
  const { place, why } = await scanFrames(file, head.place, Math.min(named.offset, size), onFrame)
  const flawed = (reason: string) => ({ place, flaw: { offset: place.offset, why: reason } })
  if (named.end === 'damaged') return flawed('its successor found it damaged here')
  if (why !== undefined) return flawed(why)
  if (place.offset !== named.offset) return flawed(`its successor names offset ${named.offset}`)
  if (place.hash.toString('hex') !== named.hash) return flawed('its successor names another hash')
  if (place.closed !== (named.end === 'closed')) return flawed('its successor names another end')
  if (place.offset === size) return { place }
  const tail = await examineTail(file, place.offset, size)
  const reason = endFlaw(place, tail, size, head.header.allocated)
  return reason === undefined ? { place } : flawed(reason)
}
