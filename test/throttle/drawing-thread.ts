/** A thread that draws on shared buckets as often as it is told, and tells how often it got something. @module */
import { parentPort, workerData } from 'node:worker_threads'
import { createBuckets, processMilliseconds, type Draw } from '../../src/throttle/buckets.ts'

export interface Drawing {
  readonly memory: SharedArrayBuffer
  /** What the clock says all the time; the process's own clock when left out. */
  readonly now?: number
  /** Draws that follow each other, over and over. */
  readonly draws: readonly (readonly Draw[])[]
  /** How many are tried; `untilMs` of the process's clock ends them when it is given. */
  readonly times: number
  readonly untilMs?: number
  /** How many threads there are, and a word by which they begin together. */
  readonly threads: number
  readonly gate: SharedArrayBuffer
}

const given = workerData as Drawing // what the test gives
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
