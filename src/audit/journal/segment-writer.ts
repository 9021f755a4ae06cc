/**
 * Manages the files of segments: repairs the last one at a start, prepares the next one ahead of time,
 * and makes it the open segment.
 *
 * INVARIANT (whole at birth): a file gets the name of a segment only once its blocks, its header and
 * its first frame are durable. So a segment with any other beginning is damaged.
 * @module
 */
import { dirname, join } from 'node:path'
import { JournalFailed } from './journal.ts'
import { readAll, writeAll, type FilePort, type OpenFile } from '../../disk/files.ts'
import {
  encodeOpening,
  headerBytes,
  isStreamName,
  version,
  type Predecessor,
  type SegmentEnd,
} from './frame.ts'
import {
  readHead,
  scanLastSegment,
  segmentName,
  segmentNumber,
  type Flaw,
  type SegmentPosition,
} from './segment-reader.ts'

const chunkBytes = 1024 * 1024

/** The place of a stream, and how to make its segments. */
export interface StreamHome {
  readonly files: FilePort
  /** The journal's directory; each stream is a directory in it. */
  readonly directory: string
  readonly stream: string
  readonly segmentBytes: number
  readonly now: () => number
}

/** @throws {JournalFailed} when the settings are not valid */
export function soundHome(home: StreamHome): StreamHome {
  const { stream, segmentBytes } = home
  if (!isStreamName(stream)) throw new JournalFailed(`\`${stream}\` cannot name a stream`)
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < 2 * segmentReserveBytes) {
    throw new JournalFailed(`a segment of ${segmentBytes} bytes is too small`)
  }
  return home
}

/** A durable file of zeros that can become segment `number`. */
export interface Spare {
  readonly number: number
  readonly path: string
  readonly file: OpenFile
  /** The size of the file. */
  readonly allocated: number
}

/** The segment that receives records; `offset` and `head` belong to its last durable frame. */
export interface LiveSegment {
  readonly number: number
  readonly file: OpenFile
  readonly allocated: number
  readonly created: number
  offset: number
  head: Buffer
  records: number
}

/** What a start finds at the end of a stream. */
export interface Recovered {
  /** Undefined when the stream has no segment yet. */
  readonly last: Predecessor | undefined
  /** The last segment is damaged. What it lost cannot be recovered, and the verifier will report it. */
  readonly flaw?: Flaw
}

/**
 * Prepares a stream for a start: makes its directory, removes prepared files, and ends the last segment
 * at its last whole frame.
 * @throws when the directory cannot be read or written, or the segment is of a newer version
 */
export async function recoverStream(home: StreamHome): Promise<Recovered> {
  const { files, directory, stream } = home
  const path = join(directory, stream)
  await files.makeDirectory(path)
  const entries = await files.list(path)
  const prepared = entries.filter(({ name }) => /\.(?:next|copy)$/.test(name))
  await Promise.all(prepared.map(({ name }) => files.remove(join(path, name))))
  // If the last process could not make a name durable, it must become durable before any frame names
  // the file.
  for (const each of [path, directory, dirname(directory)]) {
    await files.syncDirectory(each)
  }
  const numbers = entries.flatMap(({ name }) => segmentNumber(name) ?? [])
  if (numbers.length === 0) return { last: undefined }
  return endLastSegment(home, Math.max(...numbers))
}

/** Whether a stream's last segment was closed, with no traces of an interrupted start or stop. */
export async function isStreamEnded(
  home: Pick<StreamHome, 'files' | 'directory' | 'stream'>,
): Promise<boolean> {
  const { files, directory, stream } = home
  const entries = await files.list(join(directory, stream))
  const numbers = entries.flatMap(({ name }) => segmentNumber(name) ?? [])
  if (numbers.length === 0 || entries.some(({ name }) => /\.(?:next|copy)$/.test(name)))
    return false
  const number = Math.max(...numbers)
  const file = await files.openToRead(join(directory, stream, segmentName(number)))
  try {
    const head = await readHead(file, { stream, number })
    if ('why' in head) return false
    const { place, flaw } = await scanLastSegment(file, head, () => undefined)
    return flaw === undefined && place.closed && (await file.size()) === place.offset
  } finally {
    await file.close()
  }
}

async function endLastSegment(home: StreamHome, number: number): Promise<Recovered> {
  const { files, directory, stream } = home
  const path = join(directory, stream, segmentName(number))
  const file = await files.openToRead(path)
  try {
    const head = await readHead(file, { stream, number })
    if ('why' in head) {
      if (head.newer) throw new JournalFailed(`${path}: ${head.why}`)
      const hash = Buffer.alloc(32).toString('hex')
      return { last: { segment: number, offset: 0, hash, end: 'damaged' }, flaw: head }
    }
    const { place, flaw } = await scanLastSegment(file, head, () => undefined)
    const last = { segment: number, offset: place.offset, hash: place.hash.toString('hex') }
    // A damaged file is evidence, so nothing of it is cut off.
    if (flaw !== undefined) return { last: { ...last, end: 'damaged' }, flaw }
    if (!place.closed || (await file.size()) !== place.offset) {
      await replaceByCopy(home, number, file, place)
    }
    return { last: { ...last, end: place.closed ? 'closed' : 'crashed' } }
  } finally {
    await file.close()
  }
}

/**
 * Replaces the segment by a copy that ends at the last whole frame. Only a copy certainly makes those
 * frames durable: what is read here may be only in the page cache. After a failed sync, the kernel
 * treats such pages as written, so syncing the old file again would prove nothing.
 */
async function replaceByCopy(
  home: StreamHome,
  number: number,
  from: OpenFile,
  place: SegmentPosition,
): Promise<void> {
  const { files, directory, stream } = home
  const path = join(directory, stream, segmentName(number))
  const copyPath = `${path}.copy`
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const copy = await files.create(copyPath)
  try {
    for (let at = 0; at < place.offset; at += chunkBytes) {
      const wanted = chunk.subarray(0, Math.min(chunkBytes, place.offset - at))
      if ((await readAll(from, wanted, at)) < wanted.length)
        throw new Error('a segment got shorter')
      await writeAll(copy, wanted, at)
    }
    await copy.sync()
  } finally {
    await copy.close()
  }
  await files.rename(copyPath, path)
  await files.syncDirectory(dirname(path))
}

/**
 * Makes the file of the next segment with every block written, so that a full disk fails here and not
 * in the middle of a record. Each write is durable before the next one begins, so that records of the
 * open segment never wait behind all of it.
 * @param last the number of the segment before; undefined for the first of a stream
 * @param allocated the size of the file
 */
export async function prepareSegment(
  home: StreamHome,
  last: number | undefined,
  allocated: number = home.segmentBytes,
): Promise<Spare> {
  const { files, directory, stream } = home
  const number = (last ?? 0) + 1
  const path = join(directory, stream, `${segmentName(number)}.next`)
  await files.remove(path)
  const file = await files.createDurable(path)
  try {
    const zeros = Buffer.alloc(Math.min(chunkBytes, allocated))
    for (let at = 0; at < allocated; at += zeros.length) {
      await writeAll(file, zeros.subarray(0, Math.min(zeros.length, allocated - at)), at)
    }
    await file.sync()
    await files.syncDirectory(dirname(path))
    return { number, path, file, allocated }
  } catch (error) {
    await discardSpare(home, { number, path, file, allocated })
    throw error
  }
}

/** Discards a prepared file; if it cannot be removed, the next start removes it. */
export async function discardSpare(home: StreamHome, spare: Spare): Promise<void> {
  await Promise.allSettled([spare.file.close(), home.files.remove(spare.path)])
}

/** Makes a prepared file the open segment; its first frame names the previous segment. */
export async function activateSegment(
  home: StreamHome,
  spare: Spare,
  predecessor: Predecessor | undefined,
): Promise<LiveSegment> {
  const { files, stream } = home
  const { number, path, file, allocated } = spare
  const created = home.now()
  const opening = encodeOpening({ version, stream, number, created, allocated }, predecessor)
  try {
    await writeAll(file, opening, 0)
    await files.rename(path, join(dirname(path), segmentName(number)))
    await files.syncDirectory(dirname(path))
  } catch (error) {
    // If it already has the segment's name, the next attempt replaces it by renaming.
    await discardSpare(home, spare)
    throw error
  }
  const head = Buffer.from(opening.subarray(opening.length - 32))
  return { number, file, allocated, created, offset: opening.length, head, records: 0 }
}

/** Cuts off the unused end of a segment that is over. */
export async function trimSegment(segment: LiveSegment): Promise<void> {
  try {
    await segment.file.truncate(segment.offset)
    await segment.file.sync()
  } finally {
    await segment.file.close()
  }
}

/** The minimum size of a segment without its records, with a margin. */
export const segmentReserveBytes = headerBytes + 888

/** A segment as its successor names it. */
export function nameAs(live: LiveSegment, end: SegmentEnd): Predecessor {
  return { segment: live.number, offset: live.offset, hash: live.head.toString('hex'), end }
}
