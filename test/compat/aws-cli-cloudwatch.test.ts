/** `aws cloudwatch` as its users run it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

test('aws cloudwatch lists the metrics of a key, and tells its statistics', { skip }, async (t) => {
  const { json, print, shell, newKey, write } = await openWorkplace(t, clients)
  const KeyId = await newKey()
  await print(`aws kms encrypt --key-id ${KeyId} --plaintext eA==`)
  const arn = (await print(`aws kms describe-key --key-id ${KeyId} --query KeyMetadata.Arn`))
    .trim()
    .replaceAll('"', '')
  const metric = {
    Namespace: 'AWS/KMS',
    MetricName: 'SuccessfulRequest',
    Dimensions: [
      { Name: 'KeyArn', Value: arn },
      { Name: 'Operation', Value: 'Encrypt' },
    ],
  }
  const deadline = performance.now() + 60_000
  let listed: unknown
  do {
    assert(performance.now() < deadline)
    listed = await json('aws cloudwatch list-metrics --namespace AWS/KMS')
  } while ((listed as { readonly Metrics: readonly unknown[] }).Metrics.length === 0)
  assert.deepEqual(listed, { Metrics: [metric] })
  const hours = (by: number): string => new Date(Date.now() + by * 3_600_000).toISOString()
  const span = `--start-time ${hours(-1)} --end-time ${hours(1)}`
  const told = await json(
    `aws cloudwatch get-metric-statistics --namespace AWS/KMS --metric-name SuccessfulRequest ` +
      `--dimensions Name=KeyArn,Value=${arn} Name=Operation,Value=Encrypt ` +
      `--period 7200 --statistics Sum Maximum ${span}`,
  )
  const { Label, Datapoints } = told as {
    readonly Label: string
    readonly Datapoints: readonly Readonly<Record<string, unknown>>[]
  }
  assert.equal(Label, 'SuccessfulRequest')
  assert.deepEqual(
    Datapoints.map(({ Timestamp, ...values }) => Timestamp !== undefined && values),
    [{ Sum: 1, Maximum: 1, Unit: 'Count' }],
  )
  const queries = [{ Id: 'm1', MetricStat: { Metric: metric, Period: 60, Stat: 'Sum' } }]
  await write('queries.json', JSON.stringify(queries))
  const data = await json(
    `aws cloudwatch get-metric-data --metric-data-queries file://queries.json ${span}`,
  )
  const [result] = (
    data as { readonly MetricDataResults: readonly Readonly<Record<string, unknown>>[] }
  ).MetricDataResults
  assert.deepEqual([result?.['Values'], result?.['StatusCode']], [[1], 'Complete'])
  for (const [given, message] of [
    [
      `--period 60 --statistics Sum --start-time 2030-01-02 --end-time 2030-01-01`,
      /\(InvalidParameterValue\) when calling the GetMetricStatistics operation: The parameter StartTime must be less/,
    ],
    [
      `--period 60 --statistics Sum --start-time 2030-01-01 --end-time 2030-03-01`,
      /\(InvalidParameterCombination\).*You have requested up to 84,960 datapoints, which exceeds the limit/,
    ],
  ] as const) {
    const asked = 'aws cloudwatch get-metric-statistics --namespace AWS/KMS --metric-name x'
    assert.match((await shell(`${asked} ${given}`)).stderr, message)
  }
})
