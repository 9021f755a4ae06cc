/**
 * The interface of the append-only journal of audit records, for the pipeline and the server. @module
 */
import type { RecordFacts } from '../../model/audit-event.ts'
import type { Clock } from '../../model/clock.ts'
import type { CheckpointSigner, SignedCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import type { SegmentErrors } from './segment-errors.ts'
import type { RecordTally } from './stream-anchor.ts'

/** The server is not ready while fewer bytes of the journal's disk are free. */
export const journalReserveBytes = 256 * 1024 * 1024

/** The record could not be made durable, so the call has no result. */
export class JournalFailed extends Error {}

export interface Journal {
  /**
   * Resolves when the record is on disk. `record` is one JSON text, and `eventId` is the id inside it.
   * @param facts what the event index needs of the record; without them it parses the record
   * @throws {JournalFailed}
   */
  append(eventId: string, record: string, facts?: RecordFacts): Promise<void>
  /**
   * False after an error of write or sync until a new segment is open. While it is false, no change may
   * begin.
   */
  readonly healthy: boolean
  /** The position of the next record, which outbox rows name. */
  readonly position: { readonly stream: string; readonly segment: number }
  /** Finishes pending appends, then trims and closes the segment. */
  close(): Promise<void>
}

export interface JournalOptions {
  /** `<data>/journal`; each stream is a directory in it. */
  readonly directory: string
  /** Lower-case letters, digits and hyphens, at most 64 characters. */
  readonly stream: string
  readonly clock: Pick<Clock, 'system'>
  readonly files?: FilePort
  /** Size of a segment's file in bytes; 16 MiB when left out. */
  readonly segmentBytes?: number
  /**
   * A segment that holds records and is older than this is closed, by the next record or by the timer
   * that checks the reserve. When left out, segments are closed by size only.
   */
  readonly segmentAgeMs?: number
  /** `journalReserveBytes` when left out. */
  readonly reserveBytes?: number
  readonly reserveCheckMs?: number
  /** Delay between attempts to open a segment; 250 ms when left out. */
  readonly reopenDelayMs?: number
  /** Shared by all streams of a process. When left out, the stream counts its own errors. */
  readonly segmentErrors?: SegmentErrors
  /**
   * Called with the frames of records that became durable, before their appends resolve. They begin at
   * the offset, one right after another. The bytes are valid until it returns.
   */
  readonly onRecords?: (records: {
    readonly segment: number
    readonly offset: number
    readonly frames: Uint8Array
    /** For each record. */
    readonly facts: readonly (RecordFacts | undefined)[]
  }) => void
  /**
   * Called when errors have ended two segments within a minute: the process must end. Called at most
   * once.
   */
  readonly onFatal: (error: Error) => void
  /** Called for every other failure, for the log and the alert. */
  readonly onError: (error: Error) => void
}

/** How much work the journal still has to do. */
export interface JournalLag {
  /** Records that are not durable yet, and their bytes. */
  readonly records: number
  readonly bytes: number
  /** Records behind the last checkpoint. */
  readonly unanchored: number
  /** How long the first of them has waited for a checkpoint, in milliseconds; 0 when there is none. */
  readonly unanchoredMs: number
  /** Free space when the disk was last checked; undefined when that check failed. */
  readonly freeBytes: number | undefined
}

export interface OpenJournal extends Journal {
  /** The position with its offset in the segment: every record before it is durable. */
  readonly position: Journal['position'] & { readonly offset: number }
  /** For readiness: free space is above the reserve, and the next segment could be prepared. */
  readonly hasReserve: boolean
  readonly lag: JournalLag
  /**
   * Gives the stream checkpoints: one at once, one whenever a segment ends, and whenever `checkpoint`
   * is called.
   * @param onCheckpoint called for each durable checkpoint
   * @throws {JournalFailed} when the first cannot be made durable
   */
  anchor(
    signer: CheckpointSigner,
    tally: RecordTally,
    onCheckpoint: (checkpoint: SignedCheckpoint) => void,
  ): Promise<void>
  /** Appends a checkpoint if there are records behind the last one, and waits for it. */
  checkpoint(): Promise<void>
}
