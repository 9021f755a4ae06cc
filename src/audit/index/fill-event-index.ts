/**
 * Fills the event index from the journal, from the position where it last stopped.
 *
 * INVARIANT (once each): the position commits in the same transaction as the blocks before it. So if
 * anything dies in between, the next filling continues behind the last indexed event. INVARIANT
 * (nothing that does not count): in a stream that is being written, nothing behind its durable position
 * is indexed; in every other segment, exactly what its successor says that counts.
 * @module
 */
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'
import type { EventBlock } from '../../store/tables/event-index-rows.ts'
import type { FilePort } from '../../disk/files.ts'
import { packEvents } from './event-blocks.ts'
import { isStreamName, recordTextOf } from '../journal/frame.ts'
import type { IndexedEvent } from '../../model/audit-event.ts'
import type { CountedCall } from '../../model/usage.ts'
import { indexedEvent } from './indexed-event.ts'
import { listSegments, walkStream } from '../journal/walk-stream.ts'

export interface IndexSource {
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  /**
   * Durable positions of the streams that are being written; in all other streams, everything counts.
   */
  readonly durable: readonly IndexPosition[]
}

export interface IndexRows {
  readonly positions: () => Promise<readonly IndexPosition[]>
  readonly save: (
    blocks: readonly EventBlock[],
    calls: readonly CountedCall[],
    position: IndexPosition,
  ) => Promise<void>
}

/** Blocks saved in one transaction; other transactions wait some milliseconds for it. */
const savedMax = 256

/** Indexes what is new, and returns the number of events. */
export async function fillEventIndex(source: IndexSource, rows: IndexRows): Promise<number> {
  const { files, directory } = source
  const positions = new Map((await rows.positions()).map((each) => [each.stream, each]))
  let count = 0
  for (const { name, isDirectory } of await files.list(directory)) {
    if (!isDirectory || !isStreamName(name)) continue
    count += await fillFromStream(source, name, positions.get(name), rows)
  }
  return count
}

interface Found {
  readonly event: IndexedEvent | undefined
  /** Offset of the frame. */
  readonly offset: number
}

async function fillFromStream(
  source: IndexSource,
  stream: string,
  reached: IndexPosition | undefined,
  rows: IndexRows,
): Promise<number> {
  const home = { ...source, stream }
  const bound = source.durable.find((each) => each.stream === stream)
  const { numbers } = await listSegments(home)
  // Deleted segments were delivered, or had reached their retention.
  const from = numbers.find((number) => number >= (reached?.segment ?? 1))
  if (from === undefined) return 0
  const skipped = from === reached?.segment ? reached.offset : 0
  let found: Found[] = []
  let count = 0
  const walk = walkStream(home, from, (frame, offset, number) => {
    if (frame.kind !== 'record' || (number === from && offset < skipped)) return
    if (bound !== undefined && !isBefore(number, offset, bound)) return
    const event = indexedEvent(recordTextOf(frame.payload).toString('utf8'))
    found.push({ event, offset: offset + frame.size })
  })
  for await (const { number, place } of walk) {
    if (place === undefined) continue
    for (let start = 0; start < found.length; start += savedMax) {
      const part = found.slice(start, start + savedMax)
      const events = part.flatMap(({ event }) => event ?? [])
      const offset = part.at(-1)?.offset ?? 0
      const calls = events.flatMap(({ counted }) => counted ?? [])
      await rows.save(packEvents(events), calls, { stream, segment: number, offset })
      count += events.length
    }
    found = []
    if (bound !== undefined && number >= bound.segment) break
  }
  return count
}

function isBefore(segment: number, offset: number, bound: IndexPosition): boolean {
  return segment < bound.segment || (segment === bound.segment && offset < bound.offset)
}
