/** What tests of CloudWatch's API share: a client, and values as soon as they are counted. @module */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CloudWatchClient,
  GetMetricStatisticsCommand,
  type GetMetricStatisticsInput,
} from '@aws-sdk/client-cloudwatch'
import { credentials, region, type TestServer } from '../harness.ts'

const patienceMs = 60_000

type Settings = ConstructorParameters<typeof CloudWatchClient>[0]

export function watchClient(
  t: { after(end: () => void): void },
  server: Pick<TestServer, 'url'>,
  settings: Settings = {},
): CloudWatchClient {
  const common = { endpoint: server.url, region, credentials, maxAttempts: 1 }
  const client = new CloudWatchClient({ ...common, ...settings })
  t.after(() => client.destroy())
  return client
}

/** Dimensions in the SDK's form. */
export function having(
  values: Readonly<Record<string, string>>,
): { readonly Name: string; readonly Value: string }[] {
  return Object.entries(values).map(([Name, Value]) => ({ Name, Value }))
}

export function usageOf(Resource: string): ReturnType<typeof having> {
  return having({ Service: 'KMS', Type: 'API', Resource, Class: 'None' })
}

/** One statistic of a metric by period: seconds since the beginning, and the value. */
export async function valuesOf(
  client: CloudWatchClient,
  input: Omit<GetMetricStatisticsInput, 'Statistics'>,
  statistic: 'Sum' | 'Average' | 'Minimum' | 'Maximum' | 'SampleCount' = 'Sum',
): Promise<readonly (readonly [seconds: number, value: number])[]> {
  const command = new GetMetricStatisticsCommand({ ...input, Statistics: [statistic] })
  const { Datapoints = [] } = await client.send(command)
  return Datapoints.map((point) => [
    ((point.Timestamp?.getTime() ?? 0) - (input.StartTime?.getTime() ?? 0)) / 1000,
    point[statistic] ?? Number.NaN,
  ])
}

/** The same once it is what is wanted; a machine may be busy with other tests. */
export async function valuesSoon(
  wanted: Awaited<ReturnType<typeof valuesOf>>,
  ...asked: Parameters<typeof valuesOf>
): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const values = await valuesOf(...asked)
    if (JSON.stringify(values) === JSON.stringify(wanted)) return
    if (performance.now() > deadline) assert.deepEqual(values, wanted)
    await sleep(100)
  }
}
