/** The counts of CloudWatch: successful cryptographic operations with a key, by operation and hour. @module */
import {
  CloudWatchClient,
  type Metric,
  type MetricDataQuery,
  paginateGetMetricData,
  paginateListMetrics,
} from '@aws-sdk/client-cloudwatch'
import type { Aws } from '../aws/aws.ts'

const hourMs = 3_600_000
const hours = 24
/** Queries that one call of GetMetricData takes. */
const queriesMax = 500
/** ReEncrypt names two keys, the other operations one. */
const dimensions = ['KeyArn', 'SourceKeyArn', 'DestinationKeyArn']

export interface Counted {
  /** The beginnings of the hours, oldest first. */
  readonly from: readonly Date[]
  /** By operation: how many in each hour. */
  readonly operations: ReadonlyMap<string, readonly number[]>
}

export async function requestsOf(aws: Aws, region: string, arn: string): Promise<Counted> {
  const end = Math.ceil(new Date().getTime() / hourMs) * hourMs
  const from = Array.from({ length: hours }, (_, index) => new Date(end - (hours - index) * hourMs))
  const operations = new Map<string, number[]>()
  const metrics = await metricsOf(aws, region, arn)
  const queries = metrics.map((Metric, index) => ({
    Id: `m${index}`,
    MetricStat: { Metric, Period: hourMs / 1000, Stat: 'Sum' },
  }))
  const times = { StartTime: from[0], EndTime: new Date(end) }
  for (let first = 0; first < queries.length; first += queriesMax) {
    const asked = { ...times, MetricDataQueries: queries.slice(first, first + queriesMax) }
    for (const { id, time, value } of await pointsOf(aws, region, asked)) {
      const operation = operationOf(metrics[Number(id.slice(1))])
      const counts = operations.get(operation) ?? from.map(() => 0)
      const hour = hours - Math.ceil((end - time.getTime()) / hourMs)
      counts[hour] = (counts[hour] ?? 0) + value
      operations.set(operation, counts)
    }
  }
  return { from, operations }
}

interface MetricPoint {
  /** Of the query. */
  readonly id: string
  readonly time: Date
  readonly value: number
}

function pointsOf(
  aws: Aws,
  region: string,
  asked: {
    readonly MetricDataQueries: MetricDataQuery[]
    readonly StartTime: Date | undefined
    readonly EndTime: Date
  },
): Promise<readonly MetricPoint[]> {
  return aws.run(CloudWatchClient, region, async (client) => {
    const points: MetricPoint[] = []
    for await (const { MetricDataResults = [] } of paginateGetMetricData({ client }, asked)) {
      for (const { Id: id = '', Timestamps = [], Values = [] } of MetricDataResults) {
        const of = Timestamps.map((time, index) => ({ id, time, value: Values[index] ?? 0 }))
        points.push(...of)
      }
    }
    return points
  })
}

/** The metrics of the key, each once: a key may be both sides of a ReEncrypt. */
async function metricsOf(aws: Aws, region: string, arn: string): Promise<readonly Metric[]> {
  const found = await Promise.all(
    dimensions.map((Name) =>
      aws.run(CloudWatchClient, region, async (client) => {
        const asked = {
          Namespace: 'AWS/KMS',
          MetricName: 'SuccessfulRequest',
          Dimensions: [{ Name, Value: arn }],
        }
        const metrics: Metric[] = []
        for await (const page of paginateListMetrics({ client }, asked)) {
          metrics.push(...(page.Metrics ?? []))
        }
        return metrics
      }),
    ),
  )
  return [...new Map(found.flat().map((metric) => [JSON.stringify(metric), metric])).values()]
}

function operationOf(metric: Metric | undefined): string {
  return metric?.Dimensions?.find(({ Name }) => Name === 'Operation')?.Value ?? ''
}
