/**
 * Walks a stream's segments in order, each up to the offset that its successor names. The outbox and
 * the verifier both use it, so they see the same records.
 * @module
 */
import { join } from 'node:path'
import type { FilePort } from '../../disk/files.ts'
import type { Frame, Predecessor } from './frame.ts'
import {
  readHead,
  scanLastSegment,
  scanNamedSegment,
  segmentName,
  segmentNumber,
  type Flaw,
  type Head,
  type SegmentPosition,
} from './segment-reader.ts'

export interface StreamFiles {
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  readonly stream: string
}

export interface WalkedSegment {
  readonly number: number
  /** The file's name. */
  readonly name: string
  /** The end of what counts, as far as the chain could be followed. */
  readonly place?: SegmentPosition
  readonly flaw?: Flaw
  /** The previous segment, as this one names it. */
  readonly predecessor?: Predecessor
}

/** The numbers of a stream's segments, in order, and other files that end in `.seg`. */
export async function listSegments(
  home: StreamFiles,
): Promise<{ readonly numbers: readonly number[]; readonly foreign: readonly string[] }> {
  const entries = await home.files.list(join(home.directory, home.stream))
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith('.seg'))
  return {
    numbers: names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b),
    foreign: names.filter((name) => segmentNumber(name) === undefined),
  }
}

/**
 * Walks the segments from number `from` on. A missing segment is yielded with a flaw.
 * @param onFrame called with each frame that counts; its buffers are valid until it returns
 */
export async function* walkStream(
  home: StreamFiles,
  from: number,
  onFrame: (frame: Frame, offset: number, number: number) => void,
): AsyncGenerator<WalkedSegment> {
  const { numbers } = await listSegments(home)
  const wanted = numbers.filter((number) => number >= from)
  let expected = from
  for (const [index, number] of wanted.entries()) {
    if (number > expected) {
      const why = number === expected + 1 ? 'the segment is missing' : missing(expected, number - 1)
      yield { number: expected, name: segmentName(expected), flaw: { offset: 0, why } }
    }
    expected = number + 1
    const next = wanted[index + 1] === number + 1 ? number + 1 : undefined
    const walked = await walkSegment(home, number, next, (frame, offset) => {
      onFrame(frame, offset, number)
    })
    yield { number, name: segmentName(number), ...walked }
  }
}

function missing(first: number, last: number): string {
  return `segments ${first} to ${last} are missing`
}

async function walkSegment(
  home: StreamFiles,
  number: number,
  next: number | undefined,
  onFrame: (frame: Frame, offset: number) => void,
): Promise<Omit<WalkedSegment, 'number' | 'name'>> {
  const file = await openSegment(home, number)
  try {
    const head = await readHead(file, { stream: home.stream, number })
    if ('why' in head) return { flaw: head }
    const before = head.predecessor && { predecessor: head.predecessor }
    const named = next === undefined ? undefined : await headOf(home, next)
    // An unreadable successor names nothing; it is reported when its own turn comes.
    if (named === undefined || 'why' in named || named.predecessor === undefined) {
      return { ...(await scanLastSegment(file, head, onFrame)), ...before }
    }
    return { ...(await scanNamedSegment(file, head, named.predecessor, onFrame)), ...before }
  } finally {
    await file.close()
  }
}

async function headOf(home: StreamFiles, number: number): Promise<Head | Flaw> {
  const file = await openSegment(home, number)
  try {
    return await readHead(file, { stream: home.stream, number })
  } finally {
    await file.close()
  }
}

function openSegment(home: StreamFiles, number: number) {
  return home.files.openToRead(join(home.directory, home.stream, segmentName(number)))
}
