/**
 * The outbox: brings the record of each change from the store into the journal, exactly once.
 *
 * Why each change has exactly one record that counts:
 * 1. The outbox row is inserted in the change's transaction, so the change exists if and only if the
 *    row did. The row is deleted only after the journal acknowledged the record, or was seen to hold
 *    it: at least one.
 * 2. Within one process, a record is appended again only after its append failed. No successful sync
 *    covered the failed append. So if its bytes are on disk at all, they lie behind the last durable
 *    offset of a segment that has ended. The next append succeeds only in a later segment, whose first
 *    frame names that offset, and frames behind it do not count. An acknowledged record is never
 *    appended again: at most one.
 * 3. After the process dies, the next start first ends the last segment of every stream at its last
 *    whole frame and makes those frames durable. Only then does it look each row up, from the segment
 *    that the row names. A record that counts is dropped, the others are appended. The journal never
 *    writes to a segment before the one that it names at the time of the transaction, so the search
 *    covers every place where the record can be.
 * @module
 */
import type { Store, Transaction } from '../store/store.ts'
import type { FinishedRecord } from './records/call-records.ts'
import { nodeOfStream } from '../model/node.ts'
import { nodeFiles, type FilePort } from '../disk/files.ts'
import { eventIdOf } from './journal/frame.ts'
import { JournalFailed, type Journal } from './journal/journal.ts'
import { walkStream } from './journal/walk-stream.ts'

type OutboxStore = Pick<Store, 'listOutbox' | 'deleteOutbox'>

/** Rows to drain at once: even the longest records may then all wait for the disk together. */
const drainedMax = 200
/** Rows to delete at once. */
const deletedMax = 1000
const deleteDelayMs = 100
const retryDelayMs = 250

/**
 * Copies to the journal what the last process left in the outbox, and empties the outbox. It runs
 * before the listener opens and before anything else appends.
 * @returns the number of rows, and the number of records that the journal lacked
 * @throws {JournalFailed} when a record cannot be made durable
 */
export async function drainOutbox(options: {
  readonly store: OutboxStore
  readonly journal: Journal
  /** The journal's directory. */
  readonly directory: string
  readonly files?: FilePort
  /** `retired`: only the records of nodes that were retired, also while this node serves. */
  readonly whose?: 'own' | 'retired'
  /** Called for damage that the search meets. */
  readonly onError?: (error: Error) => void
}): Promise<{ readonly rows: number; readonly appended: number }> {
  const { store, journal } = options
  let rowCount = 0
  let appended = 0
  for (;;) {
    const rows = await store.listOutbox(drainedMax, options.whose)
    if (rows.length === 0) return { rows: rowCount, appended }
    const missing = new Map(rows.map((row) => [row.eventId, row.record]))
    const firstSegments = new Map<string, number>()
    for (const { stream, segment } of rows) {
      firstSegments.set(stream, Math.min(segment, firstSegments.get(stream) ?? Infinity))
    }
    for (const [stream, from] of firstSegments) {
      await dropHeld(options, stream, from, missing)
    }
    await Promise.all([...missing].map(([eventId, record]) => journal.append(eventId, record)))
    await store.deleteOutbox(rows.map(({ eventId }) => eventId))
    rowCount += rows.length
    appended += missing.size
  }
}

/** Removes from `missing` the records that the stream holds, from segment `from` on. */
async function dropHeld(
  options: Omit<Parameters<typeof drainOutbox>[0], 'store'>,
  stream: string,
  from: number,
  missing: Map<string, string>,
): Promise<void> {
  const { directory, journal, files = nodeFiles, onError } = options
  const entries = await files.list(directory)
  // Somebody who removes a stream must not keep the server from starting; the verifier reports it.
  if (!entries.some(({ name }) => name === stream)) {
    const owner = nodeOfStream(stream)
    const isOurs = owner === undefined || owner === nodeOfStream(journal.position.stream)
    if (!isOurs) return
    onError?.(new Error(`the journal is damaged: the stream ${stream} is missing`))
    return
  }
  const walk = walkStream({ files, directory, stream }, from, (frame) => {
    if (frame.kind === 'record') missing.delete(eventIdOf(frame.payload))
  })
  for await (const { name, flaw } of walk) {
    // A record behind damage does not count as held: the change gets a record that can be read.
    if (flaw !== undefined) {
      onError?.(
        new Error(`the journal is damaged: ${stream}/${name}, offset ${flaw.offset}: ${flaw.why}`),
      )
    }
  }
}

/** Inserts the records of a change in its transaction. @returns the records as they are stored */
export async function insertRecords(
  transaction: Pick<Transaction, 'insertOutbox'>,
  rows: readonly FinishedRecord[],
  position: Journal['position'],
): Promise<readonly FinishedRecord[]> {
  const kept: FinishedRecord[] = []
  for (const row of rows) {
    kept.push({ ...row, record: await transaction.insertOutbox({ ...row, ...position }) })
  }
  return kept
}

export interface Outbox {
  /**
   * Makes the record of a committed change durable; its row is deleted later.
   * @throws {JournalFailed} The caller gets no result. The record follows when the journal is healthy.
   */
  settle(eventId: string, record: string): Promise<void>
  /** The number of records of committed changes that the journal does not hold yet. */
  readonly unsettled: number
  /**
   * Waits for current appends and deletes the rows that are done. Call it before the journal is closed.
   */
  close(): Promise<void>
}

/** The outbox of a running process. */
export function createOutbox(options: {
  readonly store: OutboxStore
  readonly journal: Journal
  readonly onError: (error: Error) => void
  readonly deleteDelayMs?: number
  readonly retryDelayMs?: number
}): Outbox {
  return new RunningOutbox(options)
}

class RunningOutbox implements Outbox {
  readonly #options: Parameters<typeof createOutbox>[0]
  /**
   * Records to append again, because an append failed. Bounded, because no change begins while the
   * journal is unhealthy.
   */
  readonly #failed = new Map<string, string>()
  readonly #underWay = new Set<Promise<void>>()
  #held: string[] = []
  #deleteTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #deleting: Promise<void> | undefined
  #retrying: Promise<void> | undefined
  #closing = false

  constructor(options: Parameters<typeof createOutbox>[0]) {
    this.#options = options
  }

  get unsettled(): number {
    return this.#failed.size + this.#underWay.size
  }

  settle(eventId: string, record: string): Promise<void> {
    const settled = this.#append(eventId, record).finally(() => this.#underWay.delete(settled))
    this.#underWay.add(settled)
    return settled
  }

  async #append(eventId: string, record: string): Promise<void> {
    try {
      await this.#options.journal.append(eventId, record)
    } catch (error) {
      this.#failed.set(eventId, record)
      this.#retryLater()
      throw error
    }
    this.#hold(eventId)
  }

  #hold(eventId: string): void {
    this.#held.push(eventId)
    const delayMs = this.#options.deleteDelayMs ?? deleteDelayMs
    if (!this.#closing) this.#deleteTimer ??= setTimeout(() => this.#deleteHeld(), delayMs).unref()
  }

  #deleteHeld(): void {
    clearTimeout(this.#deleteTimer)
    this.#deleteTimer = undefined
    this.#deleting ??= this.#deleteRows().finally(() => {
      this.#deleting = undefined
    })
  }

  async #deleteRows(): Promise<void> {
    while (this.#held.length > 0) {
      const eventIds = this.#held.splice(0, deletedMax)
      try {
        await this.#options.store.deleteOutbox(eventIds)
      } catch (cause) {
        this.#options.onError(new Error('outbox rows could not be deleted', { cause }))
        const [first, ...others] = eventIds
        this.#held.push(...others)
        // The last id put back also starts the timer.
        if (first !== undefined) this.#hold(first)
        return
      }
    }
  }

  #retryLater(): void {
    if (this.#closing) return
    const delayMs = this.#options.retryDelayMs ?? retryDelayMs
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined
      this.#retrying ??= this.#retry().finally(() => {
        this.#retrying = undefined
        if (this.#failed.size > 0) this.#retryLater()
      })
    }, delayMs).unref()
  }

  async #retry(): Promise<void> {
    if (!this.#options.journal.healthy) return
    await Promise.all(
      [...this.#failed].map(async ([eventId, record]) => {
        try {
          await this.#options.journal.append(eventId, record)
        } catch (error) {
          // The record stays here, and its row in the store: the next round or the next start retries
          // it.
          if (!(error instanceof JournalFailed)) throw error
          return
        }
        this.#failed.delete(eventId)
        this.#hold(eventId)
      }),
    )
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    this.#closing = true
    clearTimeout(this.#retryTimer)
    await this.#retrying
    await this.#retry()
    await this.#deleting
    this.#deleteHeld()
    await this.#deleting
  }
}
