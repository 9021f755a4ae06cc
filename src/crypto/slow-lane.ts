/**
 * The slow lane: a worker thread behind a bounded queue. It runs cryptography that would block the
 * event loop, or in libuv's pool would delay the journal's syncs. The queue is fair between
 * accounts, and between the users and roles of each.
 * @module
 */
import { Worker } from 'node:worker_threads'
import { KmsError } from '../errors.ts'
import { createFairQueue, type FairQueue } from '../model/fair-queue.ts'
import { partyBehind } from '../model/party.ts'
import type {
  AnySlowAnswer,
  AnySlowTask,
  SlowAnswers,
  SlowTaskName,
  SlowTasks,
} from './slow-tasks.ts'
import type { SlowOutcome, SlowWorkerData } from './slow-worker.ts'

export interface SlowLane {
  /**
   * Runs a task when the party behind `signal` has its turn. The caller overwrites the result when
   * done. Byte arrays in `input` are moved. The signal does not stop a task that has started: its
   * caller returns at once, and the result is overwritten. A `KmsError` that the task throws is
   * thrown again.
   * @throws {KmsError} `ThrottlingException` when the queue is full, immediately or while the task
   * waits; `KeyUnavailableException` when the thread died or the lane is closed
   */
  readonly run: <Name extends SlowTaskName>(
    name: Name,
    input: SlowTasks[Name],
    signal: AbortSignal,
  ) => Promise<SlowAnswers[Name]>
  /** Refuses waiting and new tasks, and ends the thread. */
  readonly close: () => Promise<void>
}

interface Job {
  readonly task: AnySlowTask
  readonly resolve: (answer: AnySlowAnswer) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: () => void
  /** The caller has gone, so nobody waits for the result. */
  abandoned: boolean
}

interface Lane {
  readonly script: URL
  readonly niceness: number
  readonly waiting: FairQueue<Job>
  running: Job | undefined
  worker: Worker | undefined
  closed: boolean
}

/** @param options.script the thread's program; tests pass one that dies */
export function createSlowLane(options: {
  /** Most waiting tasks, in addition to the running one. */
  readonly queueMax: number
  readonly script?: URL
  /** The thread's nice value, 0 to 19: how far it yields to other processes. */
  readonly niceness?: number
}): SlowLane {
  const { script = new URL('./slow-worker.ts', import.meta.url), niceness = 0 } = options
  const idle = { running: undefined, worker: undefined, closed: false }
  const waiting = createFairQueue<Job>(options.queueMax)
  const lane: Lane = { script, niceness, waiting, ...idle }
  return {
    run: (name, input, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        if (lane.closed) throw unavailable('the slow lane is closed')
        const party = partyBehind(signal)
        const stopListening = (): void => signal.removeEventListener('abort', abandon)
        // The signature of `run` guarantees that the name and its input match.
        const task = { name, input } as AnySlowTask
        // `SlowAnswers` guarantees that the name and its result match.
        const settled = resolve as (answer: AnySlowAnswer) => void
        const job: Job = { task, resolve: settled, reject, stopListening, abandoned: false }
        const abandon = (): void => {
          job.abandoned = true
          lane.waiting.remove(job, party)
          reject(signal.reason)
        }
        signal.addEventListener('abort', abandon, { once: true })
        const dropped = lane.waiting.push(job, party)
        if (dropped !== undefined) fail(dropped, throttled())
        startNext(lane)
      }),
    close: async () => {
      lane.closed = true
      for (const job of lane.waiting.drain()) fail(job, unavailable('the slow lane is closed'))
      await lane.worker?.terminate()
    },
  }
}

function startNext(lane: Lane): void {
  if (lane.running !== undefined) return
  const job = lane.waiting.shift()
  if (job === undefined) {
    lane.worker?.unref() // an idle thread must not keep the process alive
    return
  }
  lane.running = job
  lane.worker ??= startWorker(lane)
  lane.worker.ref()
  try {
    lane.worker.postMessage(job.task, buffersOf(job.task))
  } catch (error) {
    lane.running = undefined
    fail(job, error)
    startNext(lane)
  }
}

function startWorker(lane: Lane): Worker {
  // The process's command line and environment do not affect this thread.
  const nothing = { env: {}, argv: [], execArgv: [] }
  const workerData: SlowWorkerData = { niceness: lane.niceness }
  const worker = new Worker(lane.script, { name: 'slow-crypto', workerData, ...nothing })
  let cause: unknown
  worker.on('message', (outcome: SlowOutcome) => {
    const job = lane.running
    lane.running = undefined
    if (job !== undefined) settle(job, outcome)
    startNext(lane)
  })
  worker.on('error', (error) => {
    cause = error
  })
  // A thread that dies fails only the running task. The next task starts a new thread.
  worker.on('exit', () => {
    if (lane.worker === worker) lane.worker = undefined
    const job = lane.running
    lane.running = undefined
    if (job !== undefined) fail(job, unavailable('the slow lane stopped', cause))
    if (!lane.closed) startNext(lane)
  })
  return worker
}

function settle(job: Job, outcome: SlowOutcome): void {
  job.stopListening()
  if (outcome.ok && job.abandoned) overwrite(outcome.answer)
  else if (outcome.ok) job.resolve(outcome.answer)
  else if (outcome.code !== undefined) job.reject(new KmsError(outcome.code, outcome.message))
  else job.reject(new Error(`slow task ${job.task.name}: ${outcome.message}`))
}

function overwrite(answer: AnySlowAnswer): void {
  if (answer instanceof Uint8Array) answer.fill(0)
  else if (typeof answer === 'object') answer.privateKey.fill(0)
}

function fail(job: Job, error: unknown): void {
  job.stopListening()
  job.reject(error)
}

/** The memory of each byte array in the input. A part of a larger array is copied instead. */
function buffersOf(task: AnySlowTask): ArrayBuffer[] {
  const values: unknown[] = Object.values(task.input)
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
