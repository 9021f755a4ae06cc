/**
 * Records of one stream that became durable and are not in the event index yet, kept in memory, so that
 * the index need not read them back. If too many wait, they are dropped: the index then reads them from
 * the journal.
 * @module
 */
import type { RecordFacts } from '../../model/audit-event.ts'
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'

type StreamOffset = Omit<IndexPosition, 'stream'>

/** Frames of records that lie one right after another. */
export interface RecordFrames extends StreamOffset {
  /** The journal's frames, whole. */
  readonly frames: Uint8Array<ArrayBuffer>
  /** For each record its place in `members`, or -1 if its facts must be read from its text. */
  readonly facts: Int32Array
  /** For each record with facts, its time in milliseconds since the epoch. */
  readonly times: Float64Array
}

/** Records that became durable, as the journal hands them over. */
export interface DurableRecords extends StreamOffset {
  readonly frames: Uint8Array
  readonly facts: readonly (RecordFacts | undefined)[]
}

/** All records of a stream between two positions. */
export interface NewRecords {
  readonly stream: string
  readonly after: StreamOffset
  readonly until: StreamOffset
  readonly batches: readonly RecordFrames[]
  /** Of `RecordFacts`, each text once. */
  readonly members: readonly string[]
}

export interface NewRecordsQueue {
  /** Adds records that became durable. Copies the frames. */
  add(records: DurableRecords): void
  /**
   * Takes all records. The first are those behind the `until` of the time before.
   * @param durable the stream's durable position now
   */
  take(durable: IndexPosition): NewRecords
}

const bytesMaxDefault = 16 * 2 ** 20

export function createNewRecords(bytesMax = bytesMaxDefault): NewRecordsQueue {
  let after: StreamOffset | undefined
  let batches: RecordFrames[] = []
  let members = new Map<string, number>()
  let bytes = 0
  const clear = (next: StreamOffset): void => {
    after = next
    batches = []
    members = new Map()
    bytes = 0
  }
  const placeOf = (facts: RecordFacts | undefined): number => {
    if (facts === undefined) return -1
    const known = members.get(facts.members)
    if (known !== undefined) return known
    members.set(facts.members, members.size)
    bytes += facts.members.length
    return members.size - 1
  }
  return {
    add({ segment, offset, frames, facts }) {
      after ??= { segment, offset }
      bytes += frames.length
      if (bytes > bytesMax) return clear({ segment, offset: offset + frames.length })
      batches.push({
        segment,
        offset,
        frames: new Uint8Array(frames),
        facts: Int32Array.from(facts, placeOf),
        times: Float64Array.from(facts, (each) => each?.time ?? 0),
      })
    },
    take({ stream, segment, offset }) {
      const until = { segment, offset }
      const taken = { stream, after: after ?? until, until, batches, members: [...members.keys()] }
      clear(until)
      return taken
    },
  }
}
