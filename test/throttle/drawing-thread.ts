/**
 * A thread that draws on shared buckets a given number of times, and reports how often it succeeded.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createBuckets, type Draw } from '../../src/throttle/buckets.ts'

export interface Drawing {
  readonly memory: SharedArrayBuffer
  /**
   * Milliseconds: a fixed time, or a clock that all threads share and that each reading moves on. The
   * bigint is a number of microseconds.
   */
  readonly now: number | { readonly microseconds: SharedArrayBuffer; readonly step: bigint }
  /** Draws to repeat in order. */
  readonly draws: readonly (readonly Draw[])[]
  readonly times: number
  /** The number of threads, and a word by which they start together. */
  readonly threads: number
  readonly gate: SharedArrayBuffer
}

const given = workerData as Drawing // given by the test
const { memory, now, draws, times, threads, gate } = given
const buckets = createBuckets(memory, clockOf(now))
const drawn = draws.map(() => 0)
const here = new Int32Array(gate)
Atomics.add(here, 0, 1)
while (Atomics.load(here, 0) < threads) continue
for (let time = 0; time < times; time += 1) {
  const index = time % draws.length
  if (buckets.draw(draws[index] ?? [])) drawn[index] = (drawn[index] ?? 0) + 1
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
parentPort?.postMessage(drawn)

/** Buckets read their clock under their lock: so the shared one never goes back. */
function clockOf(time: Drawing['now']): () => number {
  if (typeof time === 'number') return () => time
  const shared = new BigInt64Array(time.microseconds)
  return () => Number(Atomics.add(shared, 0, time.step)) / 1000
}
