/** The append-only journal of audit records, as the pipeline sees it. @module */

/** The record could not be made durable: the call has no result. */
export class JournalFailed extends Error {}

export interface Journal {
  /**
   * Resolves when the record is on disk. `record` is one JSON text, `eventId` the one inside it.
   * @throws {JournalFailed}
   */
  append(eventId: string, record: string): Promise<void>
  /** False from an error of write or sync until a new segment is open: no change may begin. */
  readonly healthy: boolean
  /** Where the next record goes: named by outbox rows. */
  readonly position: { readonly stream: string; readonly segment: number }
  /** Finishes what is pending, trims and closes the segment. */
  close(): Promise<void>
}
