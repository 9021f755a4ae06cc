/**
 * The thread of the slow lane: runs one task at a time, synchronously, and moves the result back.
 * It never uses libuv's pool, which belongs to the journal.
 * @module
 */
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { ErrorCode } from '../errors.ts'
import { KmsError } from '../errors.ts'
import { runSlowTask } from './slow-tasks.ts'
import type { AnySlowAnswer, AnySlowTask } from './slow-tasks.ts'

/** The result of a task. */
export type SlowOutcome =
  | { readonly ok: true; readonly answer: AnySlowAnswer }
  /** With a code if the task refused the caller's input. */
  | { readonly ok: false; readonly code?: ErrorCode; readonly message: string }

export interface SlowWorkerData {
  readonly niceness: number
}

const { niceness } = workerData as SlowWorkerData // given by the lane
standBack()

const port = parentPort
port?.on('message', (task: AnySlowTask) => {
  const moved: ArrayBuffer[] = []
  const outcome = outcomeOf(task, moved)
  port.postMessage(outcome, moved)
})

/**
 * Lowers the thread's priority. Only Linux has a nice value for each thread; elsewhere this would
 * slow down the whole process.
 */
function standBack(): void {
  if (process.platform !== 'linux') return
  try {
    if (getPriority() < niceness) setPriority(niceness)
  } catch {
    // If the system refuses, the thread keeps its priority, and other work waits longer.
  }
}

function outcomeOf(task: AnySlowTask, moved: ArrayBuffer[]): SlowOutcome {
  try {
    return { ok: true, answer: movable(runSlowTask(task), moved) }
  } catch (error) {
    if (error instanceof KmsError) return { ok: false, code: error.code, message: error.message }
    return { ok: false, message: error instanceof Error ? error.message : 'the task failed' }
  }
}

function movable(answer: AnySlowAnswer, moved: ArrayBuffer[]): AnySlowAnswer {
  if (typeof answer === 'boolean') return answer
  if (answer instanceof Uint8Array) return ownMemory(answer, moved)
  const privateKey = ownMemory(answer.privateKey, moved)
  return { privateKey, publicKey: ownMemory(answer.publicKey, moved) }
}

/**
 * Copies into new memory, so that it can be moved whole and no copy stays in this thread.
 */
function ownMemory(bytes: Uint8Array, moved: ArrayBuffer[]): Uint8Array {
  const own = new Uint8Array(bytes)
  bytes.fill(0)
  moved.push(own.buffer)
  return own
}
