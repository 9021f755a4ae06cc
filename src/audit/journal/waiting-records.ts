/** The queue of records that wait for the disk, in order of arrival. @module */
import type { RecordFacts } from '../../model/audit-event.ts'
import { recordFrameBytes } from './frame.ts'
import { JournalFailed } from './journal.ts'

export interface WaitingRecord {
  readonly eventId: string
  readonly record: string
  readonly facts: RecordFacts | undefined
  readonly frameBytes: number
  readonly resolve: () => void
  readonly reject: (error: JournalFailed) => void
}

export interface WaitingRecords {
  readonly count: number
  /** Records that were not acknowledged yet, including those taken. */
  readonly unanswered: { readonly records: number; readonly bytes: number }
  /**
   * Resolves or rejects when the record's outcome is known. @throws {JournalFailed} when too many wait
   */
  add(eventId: string, record: string, facts?: RecordFacts): Promise<void>
  /** Takes the first records that fit into `room` bytes; they remain unacknowledged. */
  take(room: number): readonly WaitingRecord[]
  resolve(taken: readonly WaitingRecord[]): void
  /**
   * Rejects the taken records and all that wait. None may be acknowledged, because it is unknown
   * whether the disk has them.
   */
  rejectAll(taken: readonly WaitingRecord[], cause: unknown): void
}

/** A second bound, behind the listener's bound on concurrent calls. */
const bytesMax = 64 * 1024 * 1024

export function createWaitingRecords(): WaitingRecords {
  let waiting: WaitingRecord[] = []
  let bytes = 0
  let records = 0
  return {
    get count() {
      return waiting.length
    },
    get unanswered() {
      return { records, bytes }
    },
    add(eventId, record, facts) {
      const frameBytes = recordFrameBytes(Buffer.byteLength(record))
      if (bytes + frameBytes > bytesMax) {
        return Promise.reject(new JournalFailed('too many records wait for the disk'))
      }
      bytes += frameBytes
      records += 1
      return new Promise((resolve, reject) => {
        waiting.push({ eventId, record, facts, frameBytes, resolve, reject })
      })
    },
    take(room) {
      let taken = 0
      let count = 0
      for (const { frameBytes } of waiting) {
        taken += frameBytes
        if (taken > room) break
        count += 1
      }
      return waiting.splice(0, count)
    },
    resolve(taken) {
      for (const { frameBytes, resolve } of taken) {
        bytes -= frameBytes
        records -= 1
        resolve()
      }
    },
    rejectAll(taken, cause) {
      const unanswered = [...taken, ...waiting]
      waiting = []
      bytes = 0
      records = 0
      for (const { reject } of unanswered) {
        reject(new JournalFailed('the record could not be made durable', { cause }))
      }
    },
  }
}
