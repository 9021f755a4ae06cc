/**
 * The bytes of a journal segment: its header and its frames, as docs/audit-journal.md specifies
 * them. Versions 1 and 2 may never change; every number is big-endian. Version 2 adds the checkpoint.
 *
 *     header   "trentjnl" ‖ u32 version ‖ u8 stream length ‖ 3 zeros ‖ u64 number ‖ u64 created
 *              ‖ u64 allocated ‖ stream, zero-padded to 64 ‖ SHA-256 of all before    136 bytes
 *     frame    u32 payload length ‖ u8 kind ‖ u64 time ‖ u64 synced ‖ previous (32)
 *              ‖ payload ‖ SHA-256 of all before in this frame                     85 + n bytes
 *
 * Times are milliseconds since the epoch. `previous` is the SHA-256 at the end of the frame before,
 * for the first frame that of the header. `synced` is an offset in the same segment: every byte
 * before it was durable when this frame was made, so that a frame behind a hole can prove that the
 * hole is damage and not a torn write.
 * @module
 */
import { hash } from 'node:crypto'
import { checkpointPayloadMax } from './checkpoint.ts'

/** The version to write; segments of version 1 can still be read. */
export const version = 2
export type Version = 1 | 2
export const headerBytes = 136
const magic = Buffer.from('trentjnl')
const streamBytesMax = 64
const hashBytes = 32
const prefixBytes = 53
const eventIdBytes = 16
/** The size of a frame without its payload. */
export const frameOverheadBytes = prefixBytes + hashBytes
/** The longest record, in bytes of UTF-8. */
export const recordBytesMax = 256 * 1024
const payloadBytesMax = eventIdBytes + recordBytesMax
export const frameBytesMax = frameOverheadBytes + payloadBytesMax

/**
 * `open` is always and only the first frame of a segment, and `close` is the last of one that was ended
 * normally; `checkpoint` exists from version 2.
 */
export type FrameKind = 'open' | 'record' | 'close' | 'checkpoint'
const kindBytes: Readonly<Record<FrameKind, number>> = {
  open: 1,
  record: 2,
  close: 3,
  checkpoint: 4,
}
const kinds: readonly (FrameKind | undefined)[] = [
  undefined,
  'open',
  'record',
  'close',
  'checkpoint',
]

export interface Header {
  readonly version: Version
  readonly stream: string
  readonly number: number
  readonly created: number
  /** The size to which the file was preallocated; a file of another size has been trimmed. */
  readonly allocated: number
}

/**
 * How a segment ended, as its successor states: completely, by an error, by the process's death, or
 * damaged.
 */
export type SegmentEnd = 'closed' | 'failed' | 'crashed' | 'damaged'
const segmentEnds: readonly SegmentEnd[] = ['closed', 'failed', 'crashed', 'damaged']

/** What a segment's first frame says about the segment before it. */
export interface Predecessor {
  readonly segment: number
  /** The end of its last frame that counts. The bytes behind were never acknowledged. */
  readonly offset: number
  /** The SHA-256 of that frame, in lower-case hex. */
  readonly hash: string
  readonly end: SegmentEnd
}

/** A whole frame. Its buffers are views, valid until the next read. */
export interface Frame {
  readonly kind: FrameKind
  readonly time: number
  readonly synced: number
  readonly previous: Buffer
  readonly payload: Buffer
  readonly hash: Buffer
  /** Size of the frame in bytes. */
  readonly size: number
}

const streamPattern = /^[a-z0-9][a-z0-9-]{0,63}$/
const openingPattern =
  /^\{"previous":\{"segment":(\d{1,15}),"offset":(\d{1,15}),"hash":"(\w{64})","end":"(\w+)"\}\}$/
const eventIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether `name` is valid as the name of a stream, and so of a directory. */
export function isStreamName(name: string): boolean {
  return streamPattern.test(name)
}

/** SHA-256 as raw bytes. */
function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}

export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  magic.copy(bytes)
  bytes.writeUInt32BE(header.version, 8)
  bytes.writeUInt8(header.stream.length, 12)
  bytes.writeBigUInt64BE(BigInt(header.number), 16)
  bytes.writeBigUInt64BE(BigInt(header.created), 24)
  bytes.writeBigUInt64BE(BigInt(header.allocated), 32)
  bytes.write(header.stream, 40, streamBytesMax, 'latin1')
  sha256(bytes.subarray(0, 104)).copy(bytes, 104)
  return bytes
}

/**
 * Decodes the header at the start of `bytes`, or says what is wrong with it. The header's form is the
 * same in all versions.
 */
export function decodeHeader(bytes: Buffer): Header | { readonly unknownVersion: number } | string {
  if (bytes.length < headerBytes) return 'the header is cut short'
  if (!bytes.subarray(0, 8).equals(magic)) return 'not a journal segment'
  if (!sha256(bytes.subarray(0, 104)).equals(bytes.subarray(104, headerBytes))) {
    return "the header's hash does not match it"
  }
  const found = bytes.readUInt32BE(8)
  if (found !== 1 && found !== 2) return { unknownVersion: found }
  const header: Header = {
    version: found,
    stream: bytes.toString('latin1', 40, 40 + Math.min(bytes.readUInt8(12), streamBytesMax)),
    number: readU64(bytes, 16),
    created: readU64(bytes, 24),
    allocated: readU64(bytes, 32),
  }
  // There is only one encoding: refuse everything that a writer would not write.
  if (
    !isStreamName(header.stream) ||
    !encodeHeader(header).equals(bytes.subarray(0, headerBytes))
  ) {
    return 'the header is not well formed'
  }
  return header
}

/**
 * Writes a frame into `target` at `at`.
 * @param write fills in the payload and returns its length
 * @returns the size of the frame; its hash is the last 32 bytes
 */
function encodeFrame(
  target: Buffer,
  at: number,
  kind: FrameKind,
  link: { readonly time: number; readonly synced: number; readonly previous: Buffer },
  write: (payloadAt: number) => number,
): number {
  const length = write(at + prefixBytes)
  target.writeUInt32BE(length, at)
  target.writeUInt8(kindBytes[kind], at + 4)
  writeU64(target, link.time, at + 5)
  writeU64(target, link.synced, at + 13)
  link.previous.copy(target, at + 21)
  const end = at + prefixBytes + length
  // As hex, because a hash returned as bytes allocates a buffer, which costs more than decoding the
  // text.
  target.write(hash('sha256', target.subarray(at, end), 'hex'), end, hashBytes, 'hex')
  return frameOverheadBytes + length
}

export interface ChainLink {
  readonly time: number
  readonly synced: number
  readonly previous: Buffer
}

/** The largest size of a record's frame; exact for ASCII. */
export function recordFrameBytes(recordBytes: number): number {
  return frameOverheadBytes + eventIdBytes + recordBytes
}

/** @returns the frame's size */
export function encodeRecord(
  target: Buffer,
  at: number,
  link: ChainLink,
  eventId: string,
  record: string,
): number {
  return encodeFrame(target, at, 'record', link, (payloadAt) => {
    target.write(eventId.replaceAll('-', ''), payloadAt, eventIdBytes, 'hex')
    return eventIdBytes + target.write(record, payloadAt + eventIdBytes, 'utf8')
  })
}

export const closeFrameBytes = frameOverheadBytes

/** @returns the frame's size */
export function encodeClose(target: Buffer, at: number, link: ChainLink): number {
  return encodeFrame(target, at, 'close', link, () => 0)
}

/** The largest size of a checkpoint's frame. */
export const checkpointFrameBytesMax = frameOverheadBytes + checkpointPayloadMax

/** @returns the frame's size */
export function encodeCheckpoint(
  target: Buffer,
  at: number,
  link: ChainLink,
  payload: Buffer,
): number {
  return encodeFrame(target, at, 'checkpoint', link, (payloadAt) => payload.copy(target, payloadAt))
}

/** Encodes the header and the first frame of a segment, which names the segment before. */
export function encodeOpening(header: Header, predecessor: Predecessor | undefined): Buffer {
  const payload = Buffer.from(openingText(predecessor))
  const bytes = Buffer.alloc(headerBytes + frameOverheadBytes + payload.length)
  encodeHeader(header).copy(bytes)
  const link = { time: header.created, synced: 0, previous: bytes.subarray(104, headerBytes) }
  encodeFrame(bytes, headerBytes, 'open', link, (payloadAt) => payload.copy(bytes, payloadAt))
  return bytes
}

function openingText(predecessor: Predecessor | undefined): string {
  if (predecessor === undefined) return '{"previous":null}'
  const { segment, offset, hash: head, end } = predecessor
  return JSON.stringify({ previous: { segment, offset, hash: head, end } })
}

/** Decodes the first frame's payload; returns `null` for anything that a writer would not write. */
export function decodeOpening(payload: Buffer): Predecessor | undefined | null {
  const text = payload.toString('latin1')
  if (text === openingText(undefined)) return undefined
  const [, segment, offset, head, end] = openingPattern.exec(text) ?? []
  const known = segmentEnds.find((name) => name === end)
  if (head === undefined || !/^[0-9a-f]+$/.test(head) || known === undefined) return null
  const predecessor = {
    segment: Number(segment),
    offset: Number(offset),
    hash: head,
    end: known,
  }
  return openingText(predecessor) === text ? predecessor : null
}

/** The event id in a record's payload. */
export function eventIdOf(payload: Buffer): string {
  const hex = payload.toString('hex', 0, eventIdBytes)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}

/** The JSON text in a record's payload, in UTF-8. */
export function recordTextOf(payload: Buffer): Buffer {
  return payload.subarray(eventIdBytes)
}

/**
 * Returns why a record cannot be written at all, or undefined. Control characters are refused (JSON
 * escapes them anyway), so no record can hold bytes that look like a frame.
 */
export function recordProblem(
  eventId: string,
  record: string,
  bytesMax = recordBytesMax,
): string | undefined {
  if (!eventIdPattern.test(eventId)) return 'the event id is not a lower-case UUID'
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (record === '' || /[\u0000-\u001f]/.test(record)) return 'the record is not one line of JSON'
  if (Buffer.byteLength(record) > bytesMax) return 'the record is longer than its limit'
  return undefined
}

/**
 * The size of the frame that begins at `at`, read from its first bytes; undefined if no frame can begin
 * so.
 */
export function frameSizeAt(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < prefixBytes) return undefined
  const length = bytes.readUInt32BE(at)
  if (length > payloadBytesMax || kinds[bytes.readUInt8(at + 4)] === undefined) return undefined
  return frameOverheadBytes + length
}

/** Decodes the whole frame at `at`; undefined when there is none. The chain is not checked. */
export function decodeFrame(bytes: Buffer, at: number): Frame | undefined {
  const size = frameSizeAt(bytes, at)
  if (size === undefined || bytes.length - at < size) return undefined
  const kind = kinds[bytes.readUInt8(at + 4)]
  const hashAt = at + size - hashBytes
  const own = bytes.subarray(hashAt, hashAt + hashBytes)
  if (kind === undefined || !sha256(bytes.subarray(at, hashAt)).equals(own)) return undefined
  if (kind === 'record' && size < frameOverheadBytes + eventIdBytes) return undefined
  return {
    kind,
    time: readU64(bytes, at + 5),
    synced: readU64(bytes, at + 13),
    previous: bytes.subarray(at + 21, at + prefixBytes),
    payload: bytes.subarray(at + prefixBytes, hashAt),
    hash: own,
    size,
  }
}

/**
 * The payloads of whole frames that lie one right after another, each with the offset of its frame's
 * end. Nothing is checked: the frames come from this process.
 */
export function* payloadsOf(
  frames: Uint8Array,
): Generator<{ readonly payload: Buffer; readonly end: number }> {
  const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
  for (let at = 0; at < bytes.length;) {
    const end = at + frameOverheadBytes + bytes.readUInt32BE(at)
    yield { payload: bytes.subarray(at + prefixBytes, end - hashBytes), end }
    at = end
  }
}

/** The `synced` of a frame that may begin at `at`. The caller checks that enough bytes are there. */
export function syncedAt(bytes: Buffer, at: number): number {
  return readU64(bytes, at + 13)
}

function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  target.writeUInt32BE(value % 2 ** 32, at + 4)
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
