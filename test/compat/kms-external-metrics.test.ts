/** CloudWatch's metrics of external key stores, their quota, and the health that is asked for metrics alone. @module */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetMetricStatisticsCommand,
  paginateListMetrics,
  type CloudWatchClient,
  type Datapoint,
  type Metric,
} from '@aws-sdk/client-cloudwatch'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { startFakeProxy } from '../keystores/external/fake-proxy.ts'
import { answering } from './external-failures.ts'
import {
  connect,
  entryOf,
  makeExternalKey,
  makeStore,
  type ExternalWorld,
} from './external-store.ts'
import { makeKey } from './sdk.ts'
import { advance } from './test-clock.ts'
import { watchClient } from './watching.ts'

const Plaintext = Buffer.from('x')

async function startWorld(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<ExternalWorld & { readonly watch: CloudWatchClient }> {
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const all = { ...proxy.settings(directory), TRENT_TEST_API: 'on', ...settings }
  const server = await startTestServer(all, { directory })
  t.after(() => server.stop())
  return { server, kms: server.client(), proxy, watch: watchClient(t, server) }
}

/** The metrics of key stores, once `wanted` is among them. */
async function listed(
  client: CloudWatchClient,
  wanted: (metrics: readonly Metric[]) => boolean,
): Promise<readonly Metric[]> {
  const until = performance.now() + 60_000
  for (;;) {
    const metrics: Metric[] = []
    for await (const page of paginateListMetrics({ client }, { Namespace: 'AWS/KMS' })) {
      metrics.push(...(page.Metrics ?? []))
    }
    if (wanted(metrics)) return metrics
    assert.ok(performance.now() < until, JSON.stringify(metrics))
    await sleep(500)
  }
}

interface Point extends Pick<Datapoint, 'SampleCount' | 'Unit'> {
  readonly Sum: number
  readonly Minimum: number
  readonly Maximum: number
}

function dimensionsOf({ Dimensions = [] }: Metric): Record<string, string> {
  return Object.fromEntries(Dimensions.map(({ Name = '', Value = '' }) => [Name, Value]))
}

async function sumOf(client: CloudWatchClient, metric: Metric): Promise<Point> {
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: metric.Namespace,
      MetricName: metric.MetricName,
      Dimensions: metric.Dimensions,
      StartTime: new Date('2020-01-01T00:00:00Z'),
      EndTime: new Date('2040-01-01T00:00:00Z'),
      Period: 3_600_000,
      Statistics: ['Sum', 'SampleCount', 'Minimum', 'Maximum', 'Average'],
    }),
  )
  const [point, ...more] = Datapoints
  assert.ok(point !== undefined && more.length === 0, JSON.stringify(Datapoints))
  const { Sum, SampleCount, Minimum, Maximum, Unit } = point
  return { Sum: Number(Sum), SampleCount, Minimum: Number(Minimum), Maximum: Number(Maximum), Unit }
}

test('calls to a proxy, their failures and the health of the store are metrics of the store', async (t) => {
  const world = await startWorld(t)
  const { kms, proxy, server, watch } = world
  const CustomKeyStoreId = await makeStore(kms)
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId)
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  const { CiphertextBlob } = await kms.send(encrypt)
  await kms.send(encrypt)
  const honest = proxy.answers
  proxy.answers = answering(429, 'ThrottlingException')
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })))
  proxy.answers = honest
  await advance(server.url, '6m')

  const metrics = await listed(watch, (all) =>
    ['XksExternalKeyManagerStates', 'XksProxyErrors'].every((name) =>
      all.some(({ MetricName }) => MetricName === name),
    ),
  )
  const of = (name: string, dimensions: Record<string, string> = {}): Metric => {
    const found = metrics.find(
      (metric) =>
        metric.MetricName === name &&
        Object.entries(dimensions).every(([each, value]) => dimensionsOf(metric)[each] === value),
    )
    return found ?? assert.fail(`${name} ${JSON.stringify(metrics)}`)
  }
  const KeySpec = 'SYMMETRIC_DEFAULT'
  const latency = of('XksProxyLatency', { KmsOperation: 'Encrypt' })
  assert.deepEqual(dimensionsOf(latency), {
    CustomKeyStoreId,
    KmsOperation: 'Encrypt',
    XksOperation: 'Encrypt',
    KeySpec,
  })
  const encryptions = await sumOf(watch, latency)
  assert.equal(encryptions.SampleCount, 2)
  assert.equal(encryptions.Unit, 'Milliseconds')
  assert.ok(encryptions.Maximum <= 250)
  const errors = of('XksProxyErrors')
  assert.deepEqual(dimensionsOf(errors), {
    CustomKeyStoreId,
    KmsOperation: 'Decrypt',
    XksOperation: 'Decrypt',
    KeySpec,
    ErrorType: 'Retryable errors',
    ExceptionName: 'ThrottlingException',
  })
  assert.equal((await sumOf(watch, errors)).Sum, 1)
  of('XksProxyLatency', { KmsOperation: 'KmsHealthCheck', XksOperation: 'GetHealthStatus' })
  for (const [state, value] of [
    ['Active', 1],
    ['Degraded', 0],
    ['Unavailable', 0],
  ] as const) {
    const health = of('XksExternalKeyManagerStates', { XksExternalKeyManagerState: state })
    assert.equal((await sumOf(watch, health)).Maximum, value)
  }
  const certificate = of('XksProxyCertificateDaysToExpire')
  assert.deepEqual(dimensionsOf(certificate), { CustomKeyStoreId, CertificateName: 'server' })
  const days = await sumOf(watch, certificate)
  assert.ok(days.Minimum >= 300 && days.Maximum <= 366, String(days.Minimum))
  assert.equal((await sumOf(watch, of('XksProxyCredentialAge'))).Maximum, 0)

  const text = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(text, /^trent_xks_proxy_seconds_count\{operation="Encrypt"\} 2$/m)
  assert.match(
    text,
    /^trent_xks_proxy_errors_total\{operation="Decrypt",failure="ThrottlingException"\} 1$/m,
  )

  // A proxy that is away for a while: only metrics say so.
  proxy.answers = answering(500, 'InternalException')
  await advance(server.url, '6m')
  await listed(watch, (all) =>
    all.some((metric) => dimensionsOf(metric)['ExceptionName'] === 'InternalException'),
  )
  assert.equal((await entryOf(kms, CustomKeyStoreId)).ConnectionState, 'CONNECTED')
  proxy.answers = honest
  await kms.send(encrypt)
})

test('a store has a request quota for its keys, and other keys have nothing to do with it', async (t) => {
  const world = await startWorld(t, { TRENT_QUOTA_OVERRIDES: 'custom-key-store=0.001' })
  const { kms, watch, server } = world
  const CustomKeyStoreId = await makeStore(kms)
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId)
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext })), {
    name: 'ThrottlingException',
    message:
      'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
  })
  const { keyId: builtin } = await makeKey(kms)
  for (let calls = 0; calls < 3; calls += 1) {
    await kms.send(new EncryptCommand({ KeyId: builtin, Plaintext }))
  }
  const metrics = await listed(watch, (all) =>
    all.some(({ MetricName }) => MetricName === 'ExternalKeyStoreThrottle'),
  )
  const throttled = metrics.find(({ MetricName }) => MetricName === 'ExternalKeyStoreThrottle')
  assert.ok(throttled)
  const KeySpec = 'SYMMETRIC_DEFAULT'
  assert.deepEqual(dimensionsOf(throttled), { CustomKeyStoreId, KmsOperation: 'Encrypt', KeySpec })
  assert.equal((await sumOf(watch, throttled)).Sum, 1)
  const text = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(text, /^trent_key_store_throttled_total 1$/m)
})
