/** Percentiles of latencies. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLatencies, joinLatencies } from '../../bench/latencies.ts'

test('a percentile is the latency that this share of all is below', () => {
  const latencies = createLatencies()
  for (let each = 100; each > 0; each -= 1) latencies.add(each)
  assert.equal(latencies.percentile(0.5), 51)
  assert.equal(latencies.percentile(0.99), 100)
  assert.equal(latencies.percentile(1), 100)
})

test('percentiles of joined latencies are those of all', () => {
  const [few, many] = [createLatencies(), createLatencies()]
  few.add(9)
  for (const each of [1, 2, 3]) many.add(each)
  assert.equal(joinLatencies(few, many).percentile(0.5), 3)
  assert.equal(joinLatencies().percentile(0.5), 0)
})
