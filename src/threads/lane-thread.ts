/**
 * The thread of a slow lane: runs one task at a time, synchronously, and moves the result back. It
 * never uses libuv's pool, which belongs to the journal.
 * @module
 */
import { getPriority, setPriority } from 'node:os'
import { Moved, type Answers, type Questions } from './link.ts'
import { serveThread } from './thread.ts'

export interface LaneData {
  /** 0 to 19. */
  readonly niceness: number
}

/** Each task: a synchronous function from its input to its result. */
export type LaneTasks<Tasks extends Questions> = {
  readonly [Name in keyof Tasks]: (input: Tasks[Name][0]) => Tasks[Name][1]
}

/** The program of a lane's thread. Byte arrays of a result are moved, and no copy stays behind. */
export function serveLane<Tasks extends Questions>(tasks: LaneTasks<Tasks>): void {
  serveThread<LaneData, Tasks>(({ niceness }) => {
    standBack(niceness)
    const answers = Object.entries<(input: never) => unknown>(tasks).map(([name, task]) => [
      name,
      (input: never) => moved(task(input)),
    ])
    // The same names as in `tasks`, with the same results.
    return Object.fromEntries(answers) as Answers<Tasks>
  })
}

/**
 * Lowers the thread's priority. Only Linux has a nice value for each thread; elsewhere this would
 * slow down the whole process.
 */
function standBack(niceness: number): void {
  if (process.platform !== 'linux') return
  try {
    if (getPriority() < niceness) setPriority(niceness)
  } catch {
    // If the system refuses, the thread keeps its priority, and other work waits longer.
  }
}

/** @param answer a byte array, an object whose members are byte arrays, or a plain value */
function moved(answer: unknown): unknown {
  const transfer: ArrayBuffer[] = []
  if (answer instanceof Uint8Array) return new Moved(ownMemory(answer, transfer), transfer)
  if (typeof answer !== 'object' || answer === null) return answer
  const members = Object.entries(answer).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? ownMemory(value, transfer) : value,
  ])
  return new Moved<unknown>(Object.fromEntries(members), transfer)
}

/** Copies into new memory, so that it can be moved whole and no copy stays in this thread. */
function ownMemory(bytes: Uint8Array, transfer: ArrayBuffer[]): Uint8Array {
  const own = new Uint8Array(bytes)
  bytes.fill(0)
  transfer.push(own.buffer)
  return own
}
