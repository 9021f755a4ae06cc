/**
 * Fills the event index with records that became durable. What it did not get, or could not save, it
 * reads back from the journal, from the position where it last stopped.
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
import { packEvents, type PackedEvent } from './event-blocks.ts'
import { eventIdOf, isStreamName, payloadsOf, recordTextOf } from '../journal/frame.ts'
import type { EventFacts } from '../../model/audit-event.ts'
import type { CountedCall, CountedFacts } from '../../model/usage.ts'
import { factsOfMembers, indexedEvent } from './indexed-event.ts'
import type { NewRecords, RecordFrames } from './new-records.ts'
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

/** Events saved in one transaction; other transactions wait some milliseconds for it. */
const savedMax = 1024

/** Fills the event index step by step. Only one filling may be under way. */
export interface EventIndexFiller {
  /**
   * Indexes records that became durable, and everything before them that the index lacks.
   * @param streams all streams that are being written
   * @returns the number of events
   */
  index(streams: readonly NewRecords[]): Promise<number>
}

export function createFiller(
  source: Omit<IndexSource, 'durable'>,
  rows: IndexRows,
): EventIndexFiller {
  /** The end of each stream's indexed records, including frames that hold no record. */
  const reached = new Map<string, NewRecords['until']>()
  const knownFacts = rememberFacts()
  const isReached = ({ stream, after }: NewRecords): boolean => {
    const { segment, offset } = reached.get(stream) ?? {}
    return segment === after.segment && offset === after.offset
  }
  return {
    async index(streams) {
      let count = 0
      // A stream that is no longer written may have records that nobody handed over.
      if (streams.length !== reached.size || !streams.every(isReached)) {
        const durable = streams.map(({ stream, after }) => ({ stream, ...after }))
        count += await fillEventIndex({ ...source, durable }, rows)
      }
      // After a failure, the next filling reads back what this one has not saved.
      reached.clear()
      for (const { stream, until, batches, members } of streams) {
        const found = eventsIn(batches, members.map(knownFacts))
        count += await save(stream, found, rows)
        reached.set(stream, until)
      }
      return count
    },
  }
}

function* eventsIn(
  batches: readonly RecordFrames[],
  facts: readonly (EventFacts | undefined)[],
): Generator<Found> {
  for (const { segment, offset, frames, facts: places, times } of batches) {
    let index = 0
    for (const { payload, end } of payloadsOf(frames)) {
      const known = facts[places[index] ?? -1]
      const time = times[index] ?? 0
      const text = recordTextOf(payload)
      const event =
        known === undefined
          ? packedEvent(text)
          : { facts: known, time, eventId: eventIdOf(payload), text }
      yield { event, segment, offset: offset + end }
      index += 1
    }
  }
}

function packedEvent(text: Buffer): PackedEvent | undefined {
  const event = indexedEvent(text.toString('utf8'))
  return event && { facts: event, time: event.time, eventId: event.eventId, text }
}

const rememberedMax = 1024

/** Remembers the facts of some texts, because callers use the same keys again and again. */
function rememberFacts(): (members: string) => EventFacts | undefined {
  const remembered = new Map<string, EventFacts>()
  return (members) => {
    const known = remembered.get(members)
    if (known !== undefined) return known
    const facts = factsOfMembers(members)
    if (remembered.size >= rememberedMax) remembered.clear()
    if (facts !== undefined) remembered.set(members, facts)
    return facts
  }
}

/** Indexes what the journal's files have and the index lacks, and returns the number of events. */
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
  readonly event: PackedEvent | undefined
  readonly segment: number
  /** The end of its frame. */
  readonly offset: number
}

async function save(stream: string, found: Iterable<Found>, rows: IndexRows): Promise<number> {
  let count = 0
  let part: Found[] = []
  const savePart = async (): Promise<void> => {
    const { segment = 0, offset = 0 } = part.at(-1) ?? {}
    const events = part.flatMap(({ event }) => event ?? [])
    part = []
    await rows.save(packEvents(events), countedCalls(events), { stream, segment, offset })
    count += events.length
  }
  // Taken one by one, so that few events are in memory at once.
  for (const each of found) {
    part.push(each)
    if (part.length === savedMax) await savePart()
  }
  if (part.length > 0) await savePart()
  return count
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
    const event = packedEvent(Buffer.from(recordTextOf(frame.payload))) // a copy: the next read overwrites it
    found.push({ event, segment: number, offset: offset + frame.size })
  })
  for await (const { number, place } of walk) {
    if (place === undefined) continue
    count += await save(stream, found, rows)
    found = []
    if (bound !== undefined && number >= bound.segment) break
  }
  return count
}

const minuteMs = 60_000

/** What the events count as; those that are alike within a minute are counted together. */
function countedCalls(events: readonly PackedEvent[]): readonly CountedCall[] {
  const single: CountedCall[] = []
  const minutes = new Map<CountedFacts, Map<number, number>>()
  for (const {
    facts: { counted },
    time,
  } of events) {
    if (counted === undefined) continue
    if (counted.turns.length > 0) {
      single.push({ ...counted, time })
      continue
    }
    const counts = minutes.get(counted) ?? new Map<number, number>()
    const minute = Math.floor(time / minuteMs)
    minutes.set(counted, counts.set(minute, (counts.get(minute) ?? 0) + 1))
  }
  const many = [...minutes].flatMap(([counted, counts]) =>
    [...counts].map(([minute, count]) => ({ ...counted, time: minute * minuteMs, count })),
  )
  return [...single, ...many]
}

function isBefore(segment: number, offset: number, bound: IndexPosition): boolean {
  return segment < bound.segment || (segment === bound.segment && offset < bound.offset)
}
