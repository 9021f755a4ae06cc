/**
 * A thread that draws on shared buckets a given number of times, and reports how often it succeeded.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createBuckets, processMilliseconds, type Draw } from '../../src/throttle/buckets.ts'

export interface Drawing {
  readonly memory: SharedArrayBuffer
  /** A fixed time; the process's own clock when left out. */
  readonly now?: number
  /** Draws to repeat in order. */
  readonly draws: readonly (readonly Draw[])[]
  /** The number of attempts; `untilMs` of the process's clock ends them earlier. */
  readonly times: number
  readonly untilMs?: number
  /** The number of threads, and a word by which they start together. */
  readonly threads: number
  readonly gate: SharedArrayBuffer
}

const given = workerData as Drawing // given by the test
const { memory, now, draws, times, untilMs = Infinity, threads, gate } = given
const buckets = createBuckets(memory, now === undefined ? processMilliseconds : () => now)
const drawn = draws.map(() => 0)
const here = new Int32Array(gate)
Atomics.add(here, 0, 1)
while (Atomics.load(here, 0) < threads) continue
for (let time = 0; time < times && processMilliseconds() < untilMs; time += 1) {
  const index = time % draws.length
  if (buckets.draw(draws[index] ?? [])) drawn[index] = (drawn[index] ?? 0) + 1
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
parentPort?.postMessage({ drawn, endedAt: processMilliseconds() })
