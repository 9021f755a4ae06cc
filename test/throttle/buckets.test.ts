/** Token buckets shared by threads: together they never draw more than there is. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { bucketMemory, createBuckets, type Draw } from '../../src/throttle/buckets.ts'
import type { Drawing } from './drawing-thread.ts'

const script = new URL('drawing-thread.ts', import.meta.url)

/** How often each draw of a thread succeeded. */
type Drawn = readonly number[]

/** Runs several threads at once with the same work. */
async function drawAtOnce(
  threads: number,
  each: Omit<Drawing, 'threads' | 'gate'>,
): Promise<readonly Drawn[]> {
  const drawing = { ...each, threads, gate: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) }
  const running = Array.from({ length: threads }, async () => {
    const thread = new Worker(script, { workerData: drawing })
    const [drawn] = (await once(thread, 'message')) as [Drawn] // posted by the script
    await thread.terminate()
    return drawn
  })
  return Promise.all(running)
}

const sum = (drawn: readonly Drawn[], index: number): number =>
  drawn.reduce((total, one) => total + (one[index] ?? 0), 0)

test('two threads that draw on one bucket get what it holds, and not one more', async () => {
  for (let round = 0; round < 3; round += 1) {
    const memory = bucketMemory()
    const draws = [[{ bucket: 'one', rate: 100_000, count: 1 }]]
    const drawn = await drawAtOnce(2, { memory, now: 5000, draws, times: 90_000 })
    assert.equal(sum(drawn, 0), 100_000)
    // Neither can empty the bucket alone.
    assert(drawn.every(([own = 0]) => own >= 10_000))
    const buckets = createBuckets(memory, () => 5000)
    assert.equal(buckets.available({ bucket: 'one', rate: 100_000 }), 0)
  }
})

test('threads together draw no more than the rate while they run', async () => {
  const rate = 20_000
  const microseconds = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
  // Each attempt takes 25 µs, in which the bucket gets half a token.
  const now = { microseconds, step: 25n }
  const draws = [[{ bucket: 'one', rate, count: 1 }]]
  const times = 50_000
  const drawn = await drawAtOnce(3, { memory: bucketMemory(), now, draws, times })
  const seconds = (3 * times * 25) / 1e6
  const total = sum(drawn, 0)
  assert(total <= rate + rate * seconds, `${total} in ${seconds} s`)
  // The bucket was full when the first thread came, and somebody has always asked for more.
  assert(total >= rate + rate * seconds - 2, `${total} in ${seconds} s`)
})

test('a draw on two buckets is one on both or on neither, whoever else draws', async () => {
  const memory = bucketMemory()
  const few = { bucket: 'few', rate: 1000, count: 1 }
  const many = { bucket: 'many', rate: 50_000, count: 2 }
  const draws = [
    [many, few],
    [few, many],
    [{ ...few, bucket: 'none', count: 2, rate: 1 }, many],
    [few],
  ]
  const drawn = await drawAtOnce(2, { memory, now: 5000, draws, times: 40_000 })
  const onBoth = sum(drawn, 0) + sum(drawn, 1)
  assert.equal(onBoth + sum(drawn, 3), 1000)
  assert.equal(sum(drawn, 2), 0)
  const buckets = createBuckets(memory, () => 5000)
  assert.equal(buckets.available({ bucket: 'many', rate: 50_000 }), 50_000 - 2 * onBoth)
})

test('a bucket that is not full keeps its place, however many others come', () => {
  let now = 1000
  const memory = bucketMemory(64)
  const buckets = createBuckets(memory, () => now)
  const slow = { bucket: 'slow', rate: 0.001, count: 1 }
  assert(buckets.draw([slow]))
  for (let index = 0; index < 10_000; index += 1) {
    assert(buckets.draw([{ bucket: `other-${index}`, rate: 1000, count: 1 }]))
    now += 1
    assert(!buckets.draw([slow]))
  }
  // When it is full again.
  now = 1000 + 999_999
  assert(!buckets.draw([slow]))
  now += 1
  assert(buckets.draw([slow]))
})

test('a full table refuses new buckets until a slot is free', () => {
  let now = 1000
  const buckets = createBuckets(bucketMemory(64), () => now)
  const of = (index: number): Draw => ({ bucket: `b${index}`, rate: 1, count: 1 })
  for (let index = 0; index < 64; index += 1) assert(buckets.draw([of(index)]))
  assert(!buckets.draw([of(64)]))
  // Half of a draw fails, too.
  now += 500
  assert(!buckets.draw([{ ...of(0), count: 0.25 }, of(64)]))
  assert.equal(buckets.available({ bucket: 'b0', rate: 2 }), 1)
  // A bucket that is not in the table is full, and asking about it takes no slot.
  assert.equal(buckets.available(of(64)), 1)
  now += 500
  for (let index = 64; index < 128; index += 1) assert(buckets.draw([of(index)]))
  assert(!buckets.draw([of(0)]))
})

test('random draws at random times match buckets that never forget', () => {
  const draw = fc.record({
    bucket: fc.nat(40).map((index) => `b${index}`),
    count: fc.integer({ min: 1, max: 3 }),
  })
  const step = fc.record({
    wait: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 5000 }),
    ),
    draws: fc.array(draw, { minLength: 1, maxLength: 2 }),
  })
  const rateOf = (bucket: string): number => [5, 10, 100, 0.5][Number(bucket.slice(1)) % 4] ?? 1
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
      let now = 1000
      // 64 slots for 41 buckets: all of them fit.
      const buckets = createBuckets(bucketMemory(64), () => now)
      const model = new Map<string, { tokens: number; at: number }>()
      const tokensOf = (bucket: string): number => {
        const rate = rateOf(bucket)
        const known = model.get(bucket)
        const capacity = Math.max(1, rate)
        return known === undefined
          ? capacity
          : Math.min(capacity, known.tokens + ((now - known.at) / 1000) * rate)
      }
      for (const { wait, draws } of steps) {
        now += wait
        const before = new Map(model)
        let expected = true
        for (const { bucket, count } of draws) {
          const tokens = tokensOf(bucket) - count
          if (tokens < -1e-9) expected = false
          // At the exact limit rounding decides; either result is acceptable.
          if (Math.abs(tokens) < 1e-9 && tokens !== 0) return
          model.set(bucket, { tokens, at: now })
        }
        const all = draws.map(({ bucket, count }) => ({ bucket, count, rate: rateOf(bucket) }))
        assert.equal(buckets.draw(all), expected)
        if (!expected) {
          model.clear()
          for (const [bucket, known] of before) model.set(bucket, known)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('a thread that died with the lock blocks the others for a time, and not for good', () => {
  const memory = bucketMemory()
  const buckets = createBuckets(memory, () => 1000, { lockHeldMsMax: 200 })
  // The state of the lock while a thread holds it.
  Atomics.store(new Int32Array(memory), 0, 1)
  const startedAt = performance.now()
  assert(buckets.draw([{ bucket: 'one', rate: 1, count: 1 }]))
  assert(performance.now() - startedAt >= 199)
  // The lock is free again: else this would find a dead thread too, and the token would be there.
  assert(!buckets.draw([{ bucket: 'one', rate: 1, count: 1 }]))
  assert.equal(Atomics.load(new Int32Array(memory), 0), 0)
})
