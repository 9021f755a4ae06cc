/**
 * The journal of one stream: group commit into preallocated segments, and the handling of disk
 * failures. docs/audit-journal.md states the rules.
 *
 * INVARIANT (durable before answered): an append resolves only after a durable write of its record.
 * INVARIANT (ended for good): after an error of write or sync, a segment is never written, synced or
 * cut again. Its successor names its last durable offset, and no frame behind that offset counts.
 * @module
 */
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import { checkpointPayload, type SignedCheckpoint } from './checkpoint.ts'
import { nodeFiles, writeAll } from '../../disk/files.ts'
import {
  checkpointFrameBytesMax,
  closeFrameBytes,
  encodeCheckpoint,
  encodeClose,
  encodeRecord,
  frameBytesMax,
  recordBytesMax,
  recordProblem,
  type Predecessor,
} from './frame.ts'
import { JournalFailed, journalReserveBytes } from './journal.ts'
import type { JournalOptions, OpenJournal } from './journal.ts'
import { createSegmentErrors, type SegmentErrors } from './segment-errors.ts'
import {
  activateSegment,
  discardSpare,
  nameAs,
  prepareSegment,
  recoverStream,
  segmentReserveBytes,
  soundHome,
  trimSegment,
  type LiveSegment,
  type Spare,
  type StreamHome,
} from './segment-writer.ts'
import { createStreamAnchor, unanchoredOf, type StreamAnchor } from './stream-anchor.ts'
import { createWaitingRecords, type WaitingRecord } from './waiting-records.ts'

const batchBytesMax = 1024 * 1024

/**
 * The size of the segment that a start opens. A start waits for it, and prepares the next segment, of
 * the full size, in the background.
 */
const firstSegmentBytes = 1024 * 1024

/**
 * Opens a stream: ends the segment that a dead process left, and opens a new one that names it.
 * @throws when no segment can be opened; the server must then serve nothing
 */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { directory, stream, clock, files = nodeFiles, segmentBytes = 16 * 1024 * 1024 } = options
  const home = soundHome({ files, directory, stream, segmentBytes, now: () => clock.system() })
  const { last, flaw } = await recoverStream(home)
  if (flaw !== undefined) {
    const where = `segment ${last?.segment} of stream ${stream}, offset ${flaw.offset}`
    options.onError(new Error(`the journal is damaged: ${where}: ${flaw.why}`))
  }
  const journal = new SegmentJournal(home, options)
  await journal.start(last)
  return journal
}

class SegmentJournal implements OpenJournal {
  readonly #home: StreamHome
  readonly #options: JournalOptions
  #recordBytesMax: number
  readonly #batch = Buffer.allocUnsafe(batchBytesMax + frameBytesMax)
  readonly #stopping = new AbortController()
  /** Segments that are being trimmed; closing waits for them. */
  readonly #trims = new Set<Promise<void>>()
  #live: LiveSegment | undefined
  /** The segment that was opened last, even if it has ended. */
  #latest: LiveSegment | undefined
  readonly #waiting = createWaitingRecords()
  #working: Promise<void> | undefined
  #anchor: StreamAnchor | undefined
  #onCheckpoint: (checkpoint: SignedCheckpoint) => void = () => {}
  #checkpointDue = false
  #reopening: Promise<void> | undefined
  #spare: Promise<Spare | undefined> | undefined
  #spareFailed = false
  #opening = false
  /** Free space on the disk; undefined when it could not be read. */
  #freeBytes: number | undefined
  readonly #errors: SegmentErrors
  #reserveTimer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(home: StreamHome, options: JournalOptions) {
    this.#home = home
    this.#options = options
    this.#errors = options.segmentErrors ?? createSegmentErrors()
    this.#recordBytesMax = Math.min(recordBytesMax, home.segmentBytes - segmentReserveBytes)
  }

  get healthy(): boolean {
    return this.#live !== undefined && !this.#stopping.signal.aborted
  }

  get hasReserve(): boolean {
    const bytesMin = this.#options.reserveBytes ?? journalReserveBytes
    return (this.#freeBytes ?? -1) >= bytesMin && !this.#spareFailed
  }

  get lag(): OpenJournal['lag'] {
    const unanchored = unanchoredOf(this.#anchor, this.#home.now())
    return { ...this.#waiting.unanswered, ...unanchored, freeBytes: this.#freeBytes }
  }

  get position(): OpenJournal['position'] {
    const { number: segment = 0, offset = 0 } = this.#latest ?? {}
    return { stream: this.#home.stream, segment, offset }
  }

  async start(last: Predecessor | undefined): Promise<void> {
    await this.#openNext(last, Math.min(this.#home.segmentBytes, firstSegmentBytes))
    await this.#checkReserve()
    this.#reserveTimer = setInterval(() => {
      void this.#checkReserve()
      // Without traffic, no record would close an old segment.
      if (this.healthy && this.#isOld(this.#live)) this.#working ??= this.#work()
    }, this.#options.reserveCheckMs ?? 5000).unref()
  }

  append(...[eventId, record, facts]: Parameters<OpenJournal['append']>): Promise<void> {
    const problem = recordProblem(eventId, record, this.#recordBytesMax)
    if (problem !== undefined) return Promise.reject(new JournalFailed(problem))
    if (!this.healthy) return Promise.reject(new JournalFailed('no segment is open'))
    const appended = this.#waiting.add(eventId, record, facts)
    this.#working ??= this.#work()
    return appended
  }

  async anchor(...[signer, tally, onCheckpoint]: Parameters<OpenJournal['anchor']>): Promise<void> {
    this.#anchor = createStreamAnchor(this.#home.stream, signer, tally)
    this.#onCheckpoint = onCheckpoint
    const room = this.#home.segmentBytes - segmentReserveBytes - 2 * checkpointFrameBytesMax
    if (room <= 0) throw new JournalFailed('segments are too small for checkpoints')
    this.#recordBytesMax = Math.min(this.#recordBytesMax, room)
    this.#checkpointDue = true
    await (this.#working ??= this.#work())
    if (this.#checkpointDue)
      throw new JournalFailed('the first checkpoint could not be made durable')
  }

  async checkpoint(): Promise<void> {
    if ((this.#anchor?.unanchored ?? 0) === 0 || !this.healthy) return
    this.#checkpointDue = true
    await (this.#working ??= this.#work())
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #work(): Promise<void> {
    // All records of this turn of the event loop share one sync.
    await setImmediate()
    if (this.#live !== undefined && this.#isOld(this.#live)) await this.#roll(this.#live)
    while (this.#live !== undefined) {
      if (this.#checkpointDue) await this.#checkpointOrRoll(this.#live)
      else if (this.#waiting.count > 0) await this.#commit(this.#live)
      else break
    }
    this.#working = undefined
  }

  async #commit(live: LiveSegment): Promise<void> {
    const time = this.#home.now()
    const taken = this.#isOld(live) ? [] : this.#waiting.take(this.#roomOf(live))
    if (taken.length === 0) return this.#roll(live)
    let size = 0
    let previous = live.head
    for (const { eventId, record } of taken) {
      const link = { time, synced: live.offset, previous }
      size += encodeRecord(this.#batch, size, link, eventId, record)
      previous = this.#batch.subarray(size - 32, size)
    }
    const { number: segment, offset } = live
    if (!(await this.#makeDurable(live, size, taken))) return
    const frames = this.#batch.subarray(0, size)
    this.#options.onRecords?.({ segment, offset, frames, facts: taken.map(({ facts }) => facts) })
    live.records += taken.length
    this.#anchor?.count(taken.length, time)
    this.#waiting.resolve(taken)
  }

  /** Measured by absolute distance, so that a clock set back does not keep a segment open for ever. */
  #isOld(live: LiveSegment | undefined): boolean {
    if (live === undefined || live.records === 0) return false
    return Math.abs(this.#home.now() - live.created) >= (this.#options.segmentAgeMs ?? Infinity)
  }

  /** Space for one batch, after what ends the segment (a checkpoint and the close) is set aside. */
  #roomOf({ allocated, offset }: LiveSegment): number {
    const end = closeFrameBytes + (this.#anchor === undefined ? 0 : checkpointFrameBytesMax)
    return Math.min(allocated - end - offset, this.#batch.length)
  }

  /**
   * Appends a checkpoint. A segment that has room only for its closing checkpoint is closed instead.
   */
  async #checkpointOrRoll(live: LiveSegment): Promise<void> {
    if (this.#roomOf(live) < checkpointFrameBytesMax) return this.#roll(live)
    const { size, checkpoint } = this.#encodeCheckpoint(live)
    if (await this.#makeDurable(live, size, [])) this.#anchored(checkpoint)
  }

  /** Puts the next checkpoint at the beginning of the batch, if the stream has checkpoints. */
  #encodeCheckpoint(live: LiveSegment): {
    readonly size: number
    readonly checkpoint: SignedCheckpoint | undefined
  } {
    const { number: segment, offset, head: previous } = live
    const time = this.#home.now()
    const place = { segment, offset, head: previous.toString('hex'), time }
    const checkpoint = this.#anchor?.next(place)
    if (checkpoint === undefined) return { size: 0, checkpoint }
    const link = { time, synced: offset, previous }
    return {
      size: encodeCheckpoint(this.#batch, 0, link, checkpointPayload(checkpoint)),
      checkpoint,
    }
  }

  #anchored(checkpoint: SignedCheckpoint | undefined): void {
    if (checkpoint === undefined) return
    this.#checkpointDue = false
    this.#anchor?.committed(checkpoint)
    this.#onCheckpoint(checkpoint)
  }

  /** Writes the first `size` bytes of the batch behind the last durable frame. */
  async #makeDurable(
    live: LiveSegment,
    size: number,
    taken: readonly WaitingRecord[],
  ): Promise<boolean> {
    try {
      await writeAll(live.file, this.#batch.subarray(0, size), live.offset)
    } catch (cause) {
      this.#endByError(live, taken, cause)
      return false
    }
    live.offset += size
    live.head = Buffer.from(this.#batch.subarray(size - 32, size))
    return true
  }

  #endByError(live: LiveSegment, taken: readonly WaitingRecord[], cause: unknown): void {
    const error = new Error(`segment ${live.number} ended by an error`, { cause })
    this.#live = undefined
    void live.file.close().catch(this.#options.onError)
    this.#waiting.rejectAll(taken, cause)
    if (this.#errors.isTooMuch(this.#home.now())) {
      this.#stopping.abort()
      this.#options.onFatal(error)
      return
    }
    this.#options.onError(error)
    this.#reopening = this.#reopen(nameAs(live, 'failed'))
  }

  async #roll(live: LiveSegment): Promise<void> {
    if (!(await this.#writeClose(live))) return
    this.#trimLater(live)
    const predecessor = nameAs(live, 'closed')
    try {
      await this.#openNext(predecessor)
    } catch (cause) {
      this.#live = undefined
      this.#options.onError(new Error('no segment could be opened', { cause }))
      this.#waiting.rejectAll([], cause)
      this.#reopening = this.#reopen(predecessor)
    }
  }

  /**
   * The last checkpoint and the close are one write, so every closed segment ends with a checkpoint.
   */
  async #writeClose(live: LiveSegment): Promise<boolean> {
    const { size, checkpoint } = this.#encodeCheckpoint(live)
    const previous = size === 0 ? live.head : this.#batch.subarray(size - 32, size)
    const link = { time: this.#home.now(), synced: live.offset, previous }
    const all = size + encodeClose(this.#batch, size, link)
    if (!(await this.#makeDurable(live, all, []))) return false
    this.#anchored(checkpoint)
    return true
  }

  #trimLater(live: LiveSegment): void {
    const trim = trimSegment(live)
      .catch(this.#options.onError)
      .finally(() => this.#trims.delete(trim))
    this.#trims.add(trim)
  }

  async #reopen(predecessor: Predecessor): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        return await this.#openNext(predecessor)
      } catch (cause) {
        this.#options.onError(new Error('no segment could be opened', { cause }))
      }
      const waitMs = this.#options.reopenDelayMs ?? 250
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** @param bytes the size of the segment, if none is prepared */
  async #openNext(predecessor: Predecessor | undefined, bytes?: number): Promise<void> {
    this.#opening = true
    try {
      const prepared = await this.#spare
      this.#spare = undefined
      const spare = prepared ?? (await prepareSegment(this.#home, predecessor?.segment, bytes))
      this.#live = await activateSegment(this.#home, spare, predecessor)
    } finally {
      this.#opening = false
    }
    this.#latest = this.#live
    this.#prepareNext()
  }

  /** Prepares the next segment's file in the background, so that appends do not wait for it. */
  #prepareNext(): void {
    this.#spareFailed = false
    this.#spare = prepareSegment(this.#home, this.#latest?.number).catch((cause: unknown) => {
      this.#spareFailed = true
      this.#options.onError(new Error('the next segment could not be prepared', { cause }))
      return undefined
    })
  }

  async #checkReserve(): Promise<void> {
    try {
      this.#freeBytes = await this.#home.files.freeBytes(this.#home.directory)
    } catch (cause) {
      this.#freeBytes = undefined
      this.#options.onError(new Error('the free disk space cannot be read', { cause }))
    }
    // While a segment is being opened, that work prepares the spare.
    if (this.#spareFailed && this.healthy && !this.#opening) this.#prepareNext()
  }

  async #finish(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#reserveTimer)
    await this.#working
    await this.#reopening
    const live = this.#live
    if (live !== undefined && (await this.#writeClose(live))) this.#trimLater(live)
    this.#live = undefined
    const spare = await this.#spare
    if (spare !== undefined) await discardSpare(this.#home, spare)
    await Promise.all(this.#trims)
  }
}
