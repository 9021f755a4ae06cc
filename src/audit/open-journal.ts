/**
 * The journal of one stream: group commit into preallocated segments, and what happens when the
 * disk fails. docs/audit-journal.md states the rules.
 *
 * INVARIANT (durable before answered): an append resolves only after an fdatasync that covers it.
 * INVARIANT (ended for good): after an error of write or sync a segment is never written, synced or
 * cut again; its successor names its last durable offset, and no frame behind that counts.
 * @module
 */
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../model/clock.ts'
import { nodeFiles, writeAll, type FilePort } from './files.ts'
import {
  closeFrameBytes,
  encodeClose,
  encodeRecord,
  frameBytesMax,
  isStreamName,
  recordBytesMax,
  recordFrameBytes,
  recordProblem,
  type Predecessor,
  type SegmentEnd,
} from './frame.ts'
import { JournalFailed, type Journal } from './journal.ts'
import {
  activateSegment,
  discardSpare,
  prepareSegment,
  recoverStream,
  segmentReserveBytes,
  trimSegment,
  type LiveSegment,
  type Spare,
  type StreamHome,
} from './segment-writer.ts'

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
  /** Two segments ended by an error in a minute: the process must end. Called at most once. */
  readonly onFatal: (error: Error) => void
  /** Every other failure, for the log and the alarm. */
  readonly onError: (error: Error) => void
}

export interface OpenJournal extends Journal {
  /** Readiness: free space is above the reserve, and the next segment could be prepared. */
  readonly hasReserve: boolean
}

interface Waiting {
  readonly eventId: string
  readonly record: string
  readonly frameBytes: number
  readonly resolve: () => void
  readonly reject: (error: JournalFailed) => void
}

const batchBytesMax = 1024 * 1024
/** Appends that wait: the wire bounds calls in flight, this is the wall behind it. */
const waitingBytesMax = 64 * 1024 * 1024
const fatalWindowMs = 60_000

/**
 * Ends what a dead process left, and opens a new segment that names it.
 * @throws when no segment can be opened: nothing may be served then
 */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { directory, stream, clock, files = nodeFiles, segmentBytes = 16 * 1024 * 1024 } = options
  if (!isStreamName(stream)) throw new JournalFailed(`\`${stream}\` cannot name a stream`)
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < 2 * segmentReserveBytes) {
    throw new JournalFailed(`a segment of ${segmentBytes} bytes is too small`)
  }
  const home = { files, directory, stream, segmentBytes, now: () => clock.system() }
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
  readonly #recordBytesMax: number
  readonly #batch = Buffer.allocUnsafe(batchBytesMax + frameBytesMax)
  readonly #stopping = new AbortController()
  /** Segments being cut to length; closing waits for them. */
  readonly #trims = new Set<Promise<void>>()
  #live: LiveSegment | undefined
  #number = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #working: Promise<void> | undefined
  #reopening: Promise<void> | undefined
  #spare: Promise<Spare | undefined> | undefined
  #spareFailed = false
  #opening = false
  #hasSpace = false
  #lastErrorAt: number | undefined
  #reserveTimer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(home: StreamHome, options: JournalOptions) {
    this.#home = home
    this.#options = options
    this.#recordBytesMax = Math.min(recordBytesMax, home.segmentBytes - segmentReserveBytes)
  }

  get healthy(): boolean {
    return this.#live !== undefined && !this.#stopping.signal.aborted
  }

  get hasReserve(): boolean {
    return this.#hasSpace && !this.#spareFailed
  }

  get position(): { readonly stream: string; readonly segment: number } {
    return { stream: this.#home.stream, segment: this.#number }
  }

  async start(last: Predecessor | undefined): Promise<void> {
    await this.#openNext(last)
    await this.#checkReserve()
    const everyMs = this.#options.reserveCheckMs ?? 5000
    this.#reserveTimer = setInterval(() => {
      void this.#checkReserve()
      // Without traffic no record comes to close an old segment.
      if (this.healthy && this.#isOld(this.#live)) this.#working ??= this.#work()
    }, everyMs).unref()
  }

  append(eventId: string, record: string): Promise<void> {
    const problem = recordProblem(eventId, record, this.#recordBytesMax)
    if (problem !== undefined) return Promise.reject(new JournalFailed(problem))
    if (!this.healthy) return Promise.reject(new JournalFailed('no segment is open'))
    const frameBytes = recordFrameBytes(Buffer.byteLength(record))
    if (this.#waitingBytes + frameBytes > waitingBytesMax) {
      return Promise.reject(new JournalFailed('too many records wait for the disk'))
    }
    this.#waitingBytes += frameBytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ eventId, record, frameBytes, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #work(): Promise<void> {
    // Whatever this turn of the event loop still brings goes into the same sync.
    await setImmediate()
    if (this.#live !== undefined && this.#isOld(this.#live)) await this.#roll(this.#live)
    // oxlint-disable-next-line no-await-in-loop -- each batch follows the one before
    while (this.#waiting.length > 0 && this.#live !== undefined) await this.#commit(this.#live)
    this.#working = undefined
  }

  async #commit(live: LiveSegment): Promise<void> {
    const time = this.#home.now()
    const count = this.#isOld(live) ? 0 : this.#countFitting(live)
    if (count === 0) return this.#roll(live)
    const taken = this.#waiting.splice(0, count)
    let size = 0
    let previous = live.head
    for (const { eventId, record } of taken) {
      const link = { time, synced: live.offset, previous }
      size += encodeRecord(this.#batch, size, link, eventId, record)
      previous = this.#batch.subarray(size - 32, size)
    }
    if (!(await this.#makeDurable(live, size, taken))) return
    live.records += count
    for (const { frameBytes, resolve } of taken) {
      this.#waitingBytes -= frameBytes
      resolve()
    }
  }

  /** Old by the distance, so that a clock set back does not keep a segment open for ever. */
  #isOld(live: LiveSegment | undefined): boolean {
    if (live === undefined || live.records === 0) return false
    const age = this.#options.segmentAgeMs ?? Infinity
    return Math.abs(this.#home.now() - live.created) >= age
  }

  /** How many of those that wait go into one batch, with room left for the frame that closes. */
  #countFitting(live: LiveSegment): number {
    const room = this.#home.segmentBytes - closeFrameBytes - live.offset
    let bytes = 0
    let count = 0
    for (const { frameBytes } of this.#waiting) {
      bytes += frameBytes
      if (bytes > Math.min(room, this.#batch.length)) break
      count += 1
    }
    return count
  }

  /** Writes the first `size` bytes of the batch behind the last durable frame, and syncs. */
  async #makeDurable(live: LiveSegment, size: number, taken: readonly Waiting[]): Promise<boolean> {
    try {
      await writeAll(live.file, this.#batch.subarray(0, size), live.offset)
      await live.file.datasync()
    } catch (cause) {
      this.#endByError(live, taken, cause)
      return false
    }
    live.offset += size
    live.head = Buffer.from(this.#batch.subarray(size - 32, size))
    return true
  }

  #endByError(live: LiveSegment, taken: readonly Waiting[], cause: unknown): void {
    const error = new Error(`segment ${live.number} ended by an error`, { cause })
    this.#live = undefined
    void live.file.close().catch(this.#options.onError)
    this.#rejectAll(taken, cause)
    const now = this.#home.now()
    const last = this.#lastErrorAt
    this.#lastErrorAt = now
    if (last !== undefined && Math.abs(now - last) < fatalWindowMs) {
      this.#stopping.abort()
      this.#options.onFatal(error)
      return
    }
    this.#options.onError(error)
    this.#reopening = this.#reopen(nameAs(live, 'failed'))
  }

  /** None of these may be answered: whether the disk has them is not known. */
  #rejectAll(taken: readonly Waiting[], cause: unknown): void {
    const unanswered = [...taken, ...this.#waiting]
    this.#waiting = []
    this.#waitingBytes = 0
    for (const { reject } of unanswered) {
      reject(new JournalFailed('the record could not be made durable', { cause }))
    }
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
      this.#rejectAll([], cause)
      this.#reopening = this.#reopen(predecessor)
    }
  }

  #writeClose(live: LiveSegment): Promise<boolean> {
    const link = { time: this.#home.now(), synced: live.offset, previous: live.head }
    return this.#makeDurable(live, encodeClose(this.#batch, 0, link), [])
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
        // oxlint-disable-next-line no-await-in-loop -- one attempt after another
        return await this.#openNext(predecessor)
      } catch (cause) {
        this.#options.onError(new Error('no segment could be opened', { cause }))
      }
      const waitMs = this.#options.reopenDelayMs ?? 250
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #openNext(predecessor: Predecessor | undefined): Promise<void> {
    const number = (predecessor?.segment ?? 0) + 1
    this.#opening = true
    try {
      const prepared = await this.#spare
      this.#spare = undefined
      const spare = prepared ?? (await prepareSegment(this.#home, number))
      this.#live = await activateSegment(this.#home, spare, predecessor)
    } finally {
      this.#opening = false
    }
    this.#number = number
    this.#prepareNext()
  }

  /** Makes the next segment's file in the background, so that a roll does not wait for it. */
  #prepareNext(): void {
    this.#spareFailed = false
    this.#spare = prepareSegment(this.#home, this.#number + 1).catch((cause: unknown) => {
      this.#spareFailed = true
      this.#options.onError(new Error('the next segment could not be prepared', { cause }))
      return undefined
    })
  }

  async #checkReserve(): Promise<void> {
    try {
      const free = await this.#home.files.freeBytes(this.#home.directory)
      this.#hasSpace = free >= (this.#options.reserveBytes ?? 256 * 1024 * 1024)
    } catch (cause) {
      this.#hasSpace = false
      this.#options.onError(new Error('the free disk space cannot be read', { cause }))
    }
    // While a segment is being opened, the spare is that one's affair.
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

function nameAs(live: LiveSegment, end: SegmentEnd): Predecessor {
  return { segment: live.number, offset: live.offset, hash: live.head.toString('hex'), end }
}
