/** The append-only journal of audit records, as the pipeline and the server see it. @module */
import type { Clock } from '../../model/clock.ts'
import type { CheckpointSigner, SignedCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import type { SegmentErrors } from './segment-errors.ts'
import type { Tally } from './stream-anchor.ts'

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

export interface JournalOptions {
  /** `<data>/journal`; the stream is a directory in it. */
  readonly directory: string
  /** Lower-case letters, digits and hyphens, at most 64. */
  readonly stream: string
  readonly clock: Pick<Clock, 'system'>
  readonly files?: FilePort
  /** Size of a segment's file, 16 MiB when left out. */
  readonly segmentBytes?: number
  /**
   * A segment that holds records and is older than this is closed, by the next record or by the
   * reserve's timer, whichever comes first; by size alone when left out.
   */
  readonly segmentAgeMs?: number
  /** Free disk space below which the server is not ready, 256 MiB when left out. */
  readonly reserveBytes?: number
  readonly reserveCheckMs?: number
  /** Between attempts to open a segment, 250 ms when left out. */
  readonly reopenDelayMs?: number
  /** Shared by the streams of a process; the stream's own when left out. */
  readonly segmentErrors?: SegmentErrors
  /** Two segments ended by an error in a minute: the process must end. Called at most once. */
  readonly onFatal: (error: Error) => void
  /** Every other failure, for the log and the alarm. */
  readonly onError: (error: Error) => void
}

/** How far the journal is behind what is asked of it. */
export interface JournalLag {
  /** Records that are not durable yet, and their bytes. */
  readonly records: number
  readonly bytes: number
  /** Records behind the last checkpoint. */
  readonly unanchored: number
  /** How long the first of those has been there, in milliseconds: 0 when there is none. */
  readonly unanchoredMs: number
  /** Of the disk, when it was last looked at; undefined when that failed. */
  readonly freeBytes: number | undefined
}

export interface OpenJournal extends Journal {
  /** The same with its place in the segment: every record before it is durable. */
  readonly position: Journal['position'] & { readonly offset: number }
  /** Readiness: free space is above the reserve, and the next segment could be prepared. */
  readonly hasReserve: boolean
  readonly lag: JournalLag
  /**
   * From now on the stream has checkpoints: one at once, one at each roll, and whenever it is asked for.
   * @param onCheckpoint hears of each that is durable
   * @throws {JournalFailed} when the first cannot be made durable
   */
  anchor(
    signer: CheckpointSigner,
    tally: Tally,
    onCheckpoint: (checkpoint: SignedCheckpoint) => void,
  ): Promise<void>
  /** Appends a checkpoint when there are records behind the last one, and waits for it. */
  checkpoint(): Promise<void>
}
