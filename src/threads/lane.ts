/**
 * A slow lane: a thread behind a bounded queue. It runs work that would block the event loop, or in
 * libuv's pool would delay the journal's syncs. The queue is fair between accounts, and between the
 * users and roles of each.
 * @module
 */
import { KmsError } from '../errors.ts'
import { createFairQueue, type FairQueue } from '../model/fair-queue.ts'
import { partyBehind } from '../model/party.ts'
import type { LaneData } from './lane-thread.ts'
import type { Questions } from './link.ts'
import { createThread, type Thread, ThreadEnded } from './thread.ts'

export interface Lane<Tasks extends Questions> {
  /**
   * Runs a task when the party behind `signal` has its turn. The caller overwrites the result when
   * done. Byte arrays in `input` are moved. The signal does not stop a task that has started: its
   * caller returns at once, and the result is overwritten. A `KmsError` that the task throws is
   * thrown again.
   * @throws {KmsError} `ThrottlingException` when the queue is full, immediately or while the task
   * waits; `KeyUnavailableException` when the thread died or the lane is closed
   */
  readonly run: <Name extends keyof Tasks & string>(
    name: Name,
    input: Tasks[Name][0],
    signal: AbortSignal,
  ) => Promise<Tasks[Name][1]>
  /** Refuses waiting and new tasks, and ends the thread. */
  readonly close: () => Promise<void>
}

export interface LaneOptions {
  /** Calls `serveLane` with the tasks. */
  readonly program: URL
  readonly name: string
  /** Most waiting tasks, in addition to the running one. */
  readonly queueMax: number
  /** The thread's nice value, 0 to 19: how far it yields to other processes. */
  readonly niceness?: number
}

interface Job {
  readonly name: string
  readonly input: unknown
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: () => void
  /** The caller has gone, so nobody waits for the result. */
  abandoned: boolean
}

interface OpenLane {
  readonly options: LaneOptions
  readonly waiting: FairQueue<Job>
  isRunning: boolean
  thread: Thread<Questions> | undefined
  closed: boolean
}

export function createLane<Tasks extends Questions>(options: LaneOptions): Lane<Tasks> {
  const waiting = createFairQueue<Job>(options.queueMax)
  const lane: OpenLane = { options, waiting, isRunning: false, thread: undefined, closed: false }
  return {
    run: (name, input, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        if (lane.closed) throw unavailable('the slow lane is closed')
        const party = partyBehind(signal)
        const stopListening = (): void => signal.removeEventListener('abort', abandon)
        const job: Job = { name, input, resolve, reject, stopListening, abandoned: false }
        const abandon = (): void => {
          job.abandoned = true
          waiting.remove(job, party)
          reject(signal.reason)
        }
        signal.addEventListener('abort', abandon, { once: true })
        const dropped = waiting.push(job, party)
        if (dropped !== undefined) fail(dropped, throttled())
        if (!lane.isRunning) void runWaiting(lane)
      }),
    close: async () => {
      lane.closed = true
      for (const job of waiting.drain()) fail(job, unavailable('the slow lane is closed'))
      await lane.thread?.end()
    },
  }
}

/** Runs one task at a time until none waits. */
async function runWaiting(lane: OpenLane): Promise<void> {
  lane.isRunning = true
  for (let job = lane.waiting.shift(); job !== undefined; job = lane.waiting.shift()) {
    await run(lane, job)
  }
  lane.isRunning = false
}

/** A thread that dies fails only the running task. The next task starts a new thread. */
async function run(lane: OpenLane, job: Job): Promise<void> {
  const { program, name, niceness = 0 } = lane.options
  const data: LaneData = { niceness }
  lane.thread ??= createThread<Questions>({ program, name, data, isolated: true })
  try {
    const transfer = buffersOf(job.input)
    const answer = await lane.thread.ask(job.name, job.input, { transfer })
    job.stopListening()
    if (job.abandoned) overwrite(answer)
    // The signature of `run` in `Lane` guarantees that the name and its result match.
    else job.resolve(answer as never)
  } catch (error) {
    if (error instanceof ThreadEnded) lane.thread = undefined
    fail(job, refusalOf(job.name, error))
  }
}

function fail(job: Job, error: unknown): void {
  job.stopListening()
  job.reject(error)
}

function refusalOf(task: string, error: unknown): unknown {
  if (error instanceof KmsError) return error
  if (error instanceof ThreadEnded) return unavailable('the slow lane stopped', error)
  return new Error(`slow task ${task}: ${error instanceof Error ? error.message : 'it failed'}`)
}

/** Overwrites the byte arrays of a result: the result itself, or its members. */
function overwrite(answer: unknown): void {
  for (const bytes of answer instanceof Uint8Array ? [answer] : Object.values(Object(answer))) {
    if (bytes instanceof Uint8Array) bytes.fill(0)
  }
}

/** The memory of each byte array in the input. A part of a larger array is copied instead. */
function buffersOf(input: unknown): ArrayBuffer[] {
  const values: unknown[] = Object.values(Object(input))
  return values
    .filter((value): value is Uint8Array<ArrayBuffer> => value instanceof Uint8Array)
    .filter((bytes) => bytes.byteLength === bytes.buffer.byteLength)
    .map((bytes) => bytes.buffer)
}

function throttled(): KmsError {
  const message = 'You have exceeded the rate at which you may call KMS. '
  return new KmsError('ThrottlingException', `${message}Reduce the frequency of your calls.`)
}

function unavailable(message: string, cause?: unknown): KmsError {
  return new KmsError('KeyUnavailableException', message, { cause })
}
