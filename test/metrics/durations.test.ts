import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AggregatorRegistry, Histogram, Registry } from 'prom-client'
import * as fc from 'fast-check'
import { Durations } from '../../src/metrics/durations.ts'
import { createMeter } from '../../src/metrics/meter.ts'

const buckets = [0.001, 0.01, 0.1]
const named = { name: 'd', help: 'A help.', labelNames: ['service', 'operation'] }
const operation = fc.constantFrom('Encrypt', 'Decrypt')
const milliseconds = fc.constantFrom(0, 0.5, 1, 9, 10, 99, 100, 101, 5000)

test('durations are rendered and merged as the histogram of the library does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(operation, milliseconds)), async (observed) => {
      const [ours, theirs] = [new Registry(), new Registry()]
      const durations = new Durations({ ...named, registers: [ours] }, buckets)
      const histogram = new Histogram({ ...named, buckets, registers: [theirs] })
      for (const [name, duration] of observed) {
        durations.of({ service: 'kms', operation: name })(duration)
        histogram.observe({ service: 'kms', operation: name }, duration / 1000)
      }
      assert.equal(await ours.metrics(), await theirs.metrics())
      const merged = await Promise.all(
        [ours, theirs].map(async (registry) => {
          const figures = await registry.getMetricsAsJSON()
          return AggregatorRegistry.aggregate([figures, figures] as never).metrics()
        }),
      )
      assert.equal(merged[0], merged[1])
    }),
    { numRuns: 50 },
  )
})

test('a histogram without labels has its series from the start', async () => {
  const registry = new Registry()
  const count = new Durations({ name: 'd', help: 'h', registers: [registry] }, buckets).of()
  assert.match(await registry.metrics(), /\nd_bucket\{le="\+Inf"\} 0\nd_sum 0\nd_count 0\n/)
  count(50)
  assert.match(
    await registry.metrics(),
    /\nd_bucket\{le="0\.1"\} 1\n[^]*\nd_sum 0\.05\nd_count 1\n/,
  )
})

test('requests are counted once, however often the metrics are read', async () => {
  const meter = createMeter()
  const encrypt = { service: 'kms', name: 'Encrypt' }
  const counted = async (): Promise<string | undefined> =>
    /trent_requests_total\{service="kms",operation="Encrypt",outcome="success"\} (\d+)/.exec(
      await meter.text(),
    )?.[1]
  meter.answered(encrypt, 'success', 1)
  meter.answered({ ...encrypt }, 'success', 1)
  assert.equal(await counted(), '2')
  await meter.figures()
  assert.equal(await counted(), '2')
  meter.answered(encrypt, 'success', 1)
  assert.equal(await counted(), '3')
  assert.match(
    await meter.text(),
    /trent_request_seconds_count\{service="kms",operation="Encrypt"\} 3/,
  )
})
