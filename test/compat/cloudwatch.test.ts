/** CloudWatch's API through the official SDK: what metrics there are, and what they say. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import {
  GetMetricDataCommand,
  ListMetricsCommand,
  paginateGetMetricData,
  paginateListMetrics,
  type GetMetricDataInput,
  type Metric,
} from '@aws-sdk/client-cloudwatch'
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  ListKeysCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { otherAccountId, otherCredentials, startWithTwoAccounts } from './accounts.ts'
import { importing } from './importing.ts'
import { makeKey } from './sdk.ts'
import { advance, setClock } from './test-clock.ts'
import { having, usageOf, valuesOf, valuesSoon, watchClient } from './watching.ts'

const server = await startWithTwoAccounts({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const watch = watchClient({ after }, server)
const otherWatch = watchClient({ after }, server, { credentials: otherCredentials })
const Plaintext = Buffer.from('x')
const StartTime = new Date('2030-01-01T00:00:00Z')
const EndTime = new Date('2030-01-01T01:00:00Z')
const hour = { StartTime, EndTime, Period: 60 }
await setClock(server.url, '2030-01-01T00:00:30Z')

async function listed(input: object = {}, client = watch): Promise<readonly Metric[]> {
  const metrics: Metric[] = []
  for await (const page of paginateListMetrics({ client }, input)) {
    metrics.push(...(page.Metrics ?? []))
  }
  return metrics
}

function requests(KeyArn: string, Operation: string): object {
  const Dimensions = having({ KeyArn, Operation })
  return { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest', Dimensions }
}

function calls(operation: string): object {
  return { Namespace: 'AWS/Usage', MetricName: 'CallCount', Dimensions: usageOf(operation) }
}

test('successful cryptography is told by key and operation, in 004’s form, of its account alone', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  const { arn: other } = await makeKey(kms)
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  const { CiphertextBlob } = await kms.send(encrypt)
  await kms.send(encrypt)
  const broken = new DecryptCommand({ KeyId, CiphertextBlob: Buffer.from('nothing of ours') })
  await assert.rejects(kms.send(broken), { name: 'InvalidCiphertextException' })
  for (const DestinationKeyId of [other, arn]) {
    await kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
  }
  for (const KeyPairSpec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ML_KEM_768'] as const) {
    await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec }))
  }
  await advance(server.url, '2m')
  await kms.send(encrypt)
  const asked = (name: object): Parameters<typeof valuesOf>[1] =>
    ({ ...hour, ...name }) as Parameters<typeof valuesOf>[1]
  const two = [
    [0, 2],
    [120, 1],
  ] as const
  await valuesSoon(two, watch, asked(requests(arn, 'Encrypt')))
  assert.deepEqual(await valuesOf(watch, asked({ ...requests(arn, 'Encrypt'), Period: 3600 })), [
    [0, 3],
  ])
  for (const [statistic, value] of [
    ['SampleCount', 3],
    ['Average', 1],
    ['Minimum', 1],
    ['Maximum', 1],
  ] as const) {
    const all = asked({ ...requests(arn, 'Encrypt'), Period: 3600 })
    assert.deepEqual(await valuesOf(watch, all, statistic), [[0, value]])
  }
  // Pairs of every spec count together, what failed does not count, and keys are told apart.
  assert.deepEqual(await valuesOf(watch, asked(requests(arn, 'GenerateDataKeyPair'))), [[0, 3]])
  assert.deepEqual(await valuesOf(watch, asked(requests(arn, 'Decrypt'))), [])
  assert.deepEqual(await valuesOf(watch, asked(requests(other, 'Encrypt'))), [])
  const reEncrypt = (SourceKeyArn: string, DestinationKeyArn: string) =>
    having({ SourceKeyArn, DestinationKeyArn, Operation: 'ReEncrypt' })
  const both = { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest' }
  for (const [source, destination, value] of [
    [arn, other, [[0, 1]]],
    [arn, arn, [[0, 1]]],
    [other, arn, []],
  ] as const) {
    const Dimensions = reEncrypt(source, destination)
    assert.deepEqual(await valuesOf(watch, asked({ ...both, Dimensions })), value)
  }
  assert.deepEqual(await listed({ ...both, Dimensions: [{ Name: 'KeyArn', Value: arn }] }), [
    requests(arn, 'Encrypt'),
    requests(arn, 'GenerateDataKeyPair'),
  ])
  assert.deepEqual(await listed({ Dimensions: [{ Name: 'DestinationKeyArn', Value: other }] }), [
    { ...both, Dimensions: reEncrypt(arn, other) },
  ])
  // Another account sees nothing of it, whatever it asks for.
  assert.deepEqual(await listed({ Namespace: 'AWS/KMS' }, otherWatch), [])
  assert.deepEqual(await valuesOf(otherWatch, asked(requests(arn, 'Encrypt'))), [])
  const elsewhere = watchClient({ after }, server, { region: 'eu-west-1' })
  assert.deepEqual(await valuesOf(elsewhere, asked(requests(arn, 'Encrypt'))), [])
})

test('every call counts as usage of its account, refused or not', async () => {
  await setClock(server.url, '2030-01-02T00:00:00Z')
  const at = { StartTime: new Date('2030-01-02T00:00:00Z'), EndTime: new Date('2030-01-02T01:00Z') }
  for (let count = 0; count < 3; count += 1) await kms.send(new ListKeysCommand({}))
  await assert.rejects(kms.send(new ListKeysCommand({ Marker: 'none' })))
  const other = server.otherClient()
  await other.send(new ListKeysCommand({}))
  const asked = { ...calls('ListKeys'), ...at, Period: 300 } as Parameters<typeof valuesOf>[1]
  await valuesSoon([[0, 4]], watch, asked)
  await valuesSoon([[0, 1]], otherWatch, asked)
  const names = (await listed({ Namespace: 'AWS/Usage', RecentlyActive: 'PT3H' })).map(
    ({ Dimensions }) => Dimensions?.find(({ Name }) => Name === 'Resource')?.Value,
  )
  assert.deepEqual(names, ['ListKeys'])
  const { Metrics, OwningAccounts } = await otherWatch.send(
    new ListMetricsCommand({ MetricName: 'CallCount', IncludeLinkedAccounts: true }),
  )
  assert.deepEqual(Metrics, [calls('ListKeys')])
  assert.deepEqual(OwningAccounts, [otherAccountId])
})

test('how long imported material lasts is told from its import to its date', async () => {
  const start = new Date('2030-01-03T00:00:00Z')
  await setClock(server.url, '2030-01-03T00:00:00Z')
  const { makeExternal, parameters, send } = importing(kms)
  const KeyId = await makeExternal()
  const asked = {
    Namespace: 'AWS/KMS',
    MetricName: 'SecondsUntilKeyMaterialExpiration',
    Dimensions: having({ KeyId }),
    StartTime: new Date(start.getTime() - 3_600_000),
    EndTime: new Date(start.getTime() + 7_200_000),
  }
  assert.deepEqual(await valuesOf(watch, { ...asked, Period: 60 }), [])
  assert.deepEqual(await listed({ Namespace: 'AWS/KMS', Dimensions: having({ KeyId }) }), [])
  const ValidTo = new Date(start.getTime() + 86_400_000)
  await send(KeyId, randomBytes(32), await parameters(KeyId), { ValidTo })
  await setClock(server.url, '2030-01-03T00:10:00Z')
  const byMinute = await valuesOf(watch, { ...asked, Period: 60 }, 'Minimum')
  assert.equal(byMinute.length, 10)
  assert.deepEqual(byMinute.at(-1), [4200, 86_400 - 600])
  for (const [statistic, value] of [
    ['Minimum', 86_400 - 600],
    ['Maximum', 86_400 - 60],
    ['SampleCount', 10],
    ['Average', 86_400 - 330],
  ] as const) {
    const hours = await valuesOf(watch, { ...asked, Period: 3600 }, statistic)
    assert.deepEqual(hours, [[3600, value]])
  }
  assert.deepEqual(await listed({ Namespace: 'AWS/KMS', Dimensions: having({ KeyId }) }), [
    {
      Namespace: 'AWS/KMS',
      MetricName: 'SecondsUntilKeyMaterialExpiration',
      Dimensions: having({ KeyId }),
    },
  ])
  // A unit that it does not have has no values.
  assert.deepEqual(await valuesOf(watch, { ...asked, Period: 60, Unit: 'Count' }), [])
  await setClock(server.url, '2030-01-04T00:00:01Z')
  assert.deepEqual(await listed({ Namespace: 'AWS/KMS', Dimensions: having({ KeyId }) }), [])
})

test('many metrics are read at once, in either order, and page by page', async () => {
  const begin = Date.parse('2030-01-05T00:00:00Z')
  await setClock(server.url, '2030-01-05T00:00:00Z')
  const { keyId: KeyId, arn } = await makeKey(kms)
  for (let minute = 0; minute < 5; minute += 1) {
    for (let count = 0; count <= minute; count += 1) {
      await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    }
    await advance(server.url, '60s')
  }
  const stat = (metric: object, Period: number, Stat: string): object => ({
    MetricStat: { Metric: metric, Period, Stat },
  })
  const input = (more: object = {}): GetMetricDataInput => ({
    MetricDataQueries: [
      { Id: 'encrypts', ...stat(requests(arn, 'Encrypt'), 60, 'Sum'), Label: 'encrypted' },
      { Id: 'nothing', ...stat(requests(arn, 'Sign'), 60, 'Sum') },
      { Id: 'hidden', ...stat(calls('Encrypt'), 60, 'Sum'), ReturnData: false },
      { Id: 'usage', ...stat(calls('Encrypt'), 120, 'SampleCount') },
    ] as GetMetricDataInput['MetricDataQueries'],
    StartTime: new Date(begin),
    EndTime: new Date(begin + 3_600_000),
    ...more,
  })
  const read = async (more: object = {}): Promise<Record<string, (readonly number[])[]>> => {
    const all: Record<string, (readonly number[])[]> = {}
    for await (const page of paginateGetMetricData({ client: watch }, input(more))) {
      for (const { Id = '', Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
        const values = Values.map((value, index) => [
          ((Timestamps[index]?.getTime() ?? 0) - begin) / 60_000,
          value,
        ])
        all[Id] = [...(all[Id] ?? []), ...values]
      }
    }
    return all
  }
  const deadline = performance.now() + 60_000
  while ((await read())['encrypts']?.length !== 5) assert(performance.now() < deadline)
  const ascending = {
    encrypts: [0, 1, 2, 3, 4].map((minute) => [minute, minute + 1]),
    nothing: [],
    usage: [
      [0, 3],
      [2, 7],
      [4, 5],
    ],
  }
  const descending = Object.fromEntries(
    Object.entries(ascending).map(([id, values]) => [id, values.toReversed()]),
  )
  assert.deepEqual(await read(), descending)
  assert.deepEqual(await read({ ScanBy: 'TimestampAscending' }), ascending)
  for (const MaxDatapoints of [1, 2, 3, 5, 7, 8, 100]) {
    assert.deepEqual(await read({ MaxDatapoints }), descending)
    assert.deepEqual(await read({ MaxDatapoints, ScanBy: 'TimestampAscending' }), ascending)
  }
  const first = await watch.send(new GetMetricDataCommand(input({ MaxDatapoints: 2 })))
  assert.deepEqual(
    first.MetricDataResults?.map(({ Id, Label, StatusCode }) => [Id, Label, StatusCode]),
    [['encrypts', 'encrypted', 'PartialData']],
  )
})

test('what is older than 15 days is told by whole hours, and by them alone', async () => {
  await setClock(server.url, '2030-01-25T00:00:00Z')
  const day = { StartTime: new Date('2030-01-05T00:30Z'), EndTime: new Date('2030-01-06T00:00Z') }
  const asked = { ...calls('Encrypt'), ...day } as Parameters<typeof valuesOf>[1]
  // The first period begins with the hour.
  assert.deepEqual(await valuesOf(watch, { ...asked, Period: 3600 }), [[-1800, 15]])
  assert.deepEqual(await valuesOf(watch, { ...asked, Period: 86_400 }), [[-1800, 15]])
  assert.deepEqual(await valuesOf(watch, { ...asked, Period: 300 }), [])
  assert.deepEqual(await listed({ Namespace: 'AWS/KMS' }), [])
})
