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

/**
 * Records that lie one right after another, in three arrays that grow. A thousand small ones, one for each
 * sync of the journal, would take the calling thread milliseconds to send, and its collector to keep.
 */
class Gathered {
  readonly #segment: number
  readonly #offset: number
  #frames: Uint8Array<ArrayBuffer> = new Uint8Array()
  #bytes = 0
  #facts: Int32Array<ArrayBuffer> = new Int32Array()
  #times: Float64Array<ArrayBuffer> = new Float64Array()
  #count = 0

  constructor({ segment, offset }: StreamOffset) {
    this.#segment = segment
    this.#offset = offset
  }

  isFollowedBy({ segment, offset }: StreamOffset): boolean {
    return segment === this.#segment && offset === this.#offset + this.#bytes
  }

  /** @param placeOf the place of a record's facts in `members` */
  add(
    { frames, facts }: DurableRecords,
    placeOf: (facts: RecordFacts | undefined) => number,
  ): void {
    const [bytes, count] = [this.#bytes + frames.length, this.#count + facts.length]
    if (bytes > this.#frames.length) {
      this.#frames = copied(this.#frames, new Uint8Array(roomFor(bytes, this.#frames)))
    }
    if (count > this.#facts.length) {
      const room = roomFor(count, this.#facts)
      this.#facts = copied(this.#facts, new Int32Array(room))
      this.#times = copied(this.#times, new Float64Array(room))
    }
    this.#frames.set(frames, this.#bytes)
    for (const [index, each] of facts.entries()) {
      this.#facts[this.#count + index] = placeOf(each)
      this.#times[this.#count + index] = each?.time ?? 0
    }
    this.#bytes = bytes
    this.#count = count
  }

  take(): RecordFrames {
    return {
      segment: this.#segment,
      offset: this.#offset,
      frames: this.#frames.subarray(0, this.#bytes),
      facts: this.#facts.subarray(0, this.#count),
      times: this.#times.subarray(0, this.#count),
    }
  }
}

/** What the first records need, and then twice as much each time. */
function roomFor(length: number, present: { readonly length: number }): number {
  return Math.max(length, present.length * 2)
}

function copied<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}

export function createNewRecords(bytesMax = bytesMaxDefault): NewRecordsQueue {
  let after: StreamOffset | undefined
  let batches: Gathered[] = []
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
    add(records) {
      const { segment, offset, frames } = records
      after ??= { segment, offset }
      bytes += frames.length
      if (bytes > bytesMax) return clear({ segment, offset: offset + frames.length })
      let last = batches.at(-1)
      if (last?.isFollowedBy(records) !== true) batches.push((last = new Gathered(records)))
      last.add(records, placeOf)
    },
    take({ stream, segment, offset }) {
      const until = { segment, offset }
      const taken = {
        stream,
        after: after ?? until,
        until,
        batches: batches.map((each) => each.take()),
        members: [...members.keys()],
      }
      clear(until)
      return taken
    },
  }
}
