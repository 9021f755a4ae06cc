/** The slow lane for cryptography. It runs the tasks of `slow-tasks.ts`. @module */
import { createLane, type Lane } from '../threads/lane.ts'
import type { SlowTasks } from './slow-tasks.ts'

export type SlowLane = Lane<SlowTasks>

/** @param options.program the thread's program; tests pass one that dies */
export function createSlowLane(options: {
  /** Most waiting tasks, in addition to the running one. */
  readonly queueMax: number
  readonly program?: URL
  /** The thread's nice value, 0 to 19: how far it yields to other processes. */
  readonly niceness?: number
}): SlowLane {
  const program = new URL('./slow-thread.ts', import.meta.url)
  return createLane<SlowTasks>({ program, name: 'slow lane', ...options })
}
