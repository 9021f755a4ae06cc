/**
 * Fills the event index from the journal, from where it was last left.
 *
 * INVARIANT (once each): the position that is reached commits with the blocks that lead to it, so that
 * whatever dies in between, the next filling goes on behind the last event that is in.
 * INVARIANT (nothing that does not count): of a stream that is being written nothing behind its durable
 * place is taken; of every other segment just what its successor says that counts.
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
  /** Where streams that are being written are durable; of the others all counts. */
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

/** So many are saved in one transaction: others wait for it for some milliseconds. */
const savedMax = 256

/** Takes what is new into the index; answers how many events that were. */
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
  /** Where the frame begins. */
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
  // Segments that are gone were delivered, or had reached their age.
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
