/** Successful cryptographic operations with a key by hour, as CloudWatch counts them. @module */
import {
  CloudWatchClient,
  GetMetricDataCommand,
  ListMetricsCommand,
  type Metric,
} from '@aws-sdk/client-cloudwatch'
import BarChart from '@cloudscape-design/components/bar-chart'
import type { ReactNode } from 'react'
import type { Aws } from '../aws/aws.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Panel } from '../shell/panel.tsx'
import { keyText } from '../text/key.ts'

const words = keyText.usage
const hourMs = 3_600_000
const hours = 24
/** ReEncrypt names two keys, the other operations one. */
const dimensions = ['KeyArn', 'SourceKeyArn', 'DestinationKeyArn']

interface Counted {
  /** The beginnings of the hours, oldest first. */
  readonly from: readonly Date[]
  /** By operation: how many in each hour. */
  readonly operations: ReadonlyMap<string, readonly number[]>
}

export function Requests({ arn }: { readonly arn: string }): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`requests ${arn}`, () => requestsOf(aws, region, arn))
  return (
    <Panel title={words.requests} hint={words.requestsHint}>
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={words.requestsFailed} again={again} />
      )}
      {asked.state === 'here' &&
        (asked.value.operations.size === 0 ? words.noRequests : <Bars counted={asked.value} />)}
    </Panel>
  )
}

function Bars({ counted: { from, operations } }: { readonly counted: Counted }): ReactNode {
  const label = new Intl.DateTimeFormat(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
  const x = from.map((hour) => label.format(hour))
  return (
    <BarChart
      height={140}
      hideFilter
      stackedBars
      xScaleType="categorical"
      series={[...operations].map(([title, counts]) => ({
        title,
        type: 'bar',
        data: counts.map((y, index) => ({ x: x[index] ?? '', y })),
      }))}
      ariaLabel={words.requests}
      xTitle={words.hour}
      yTitle={words.requestsAxis}
    />
  )
}

async function requestsOf(aws: Aws, region: string, arn: string): Promise<Counted> {
  const end = Math.ceil(new Date().getTime() / hourMs) * hourMs
  const from = Array.from({ length: hours }, (_, index) => new Date(end - (hours - index) * hourMs))
  const operations = new Map<string, number[]>()
  const metrics = await metricsOf(aws, region, arn)
  if (metrics.length === 0) return { from, operations }
  const MetricDataQueries = metrics.map((Metric, index) => ({
    Id: `m${index}`,
    MetricStat: { Metric, Period: hourMs / 1000, Stat: 'Sum' },
  }))
  const { MetricDataResults = [] } = await aws.run(CloudWatchClient, region, (watch) =>
    watch.send(
      new GetMetricDataCommand({ MetricDataQueries, StartTime: from[0], EndTime: new Date(end) }),
    ),
  )
  for (const { Id, Timestamps = [], Values = [] } of MetricDataResults) {
    const operation = operationOf(metrics[Number(Id?.slice(1))])
    const counts = operations.get(operation) ?? from.map(() => 0)
    for (const [index, time] of Timestamps.entries()) {
      const hour = hours - Math.ceil((end - time.getTime()) / hourMs)
      counts[hour] = (counts[hour] ?? 0) + (Values[index] ?? 0)
    }
    if (Timestamps.length > 0) operations.set(operation, counts)
  }
  return { from, operations }
}

/** The metrics of the key, each once: a key may be both sides of a ReEncrypt. */
async function metricsOf(aws: Aws, region: string, arn: string): Promise<readonly Metric[]> {
  const found = await Promise.all(
    dimensions.map(async (Name) => {
      const { Metrics = [] } = await aws.run(CloudWatchClient, region, (watch) =>
        watch.send(
          new ListMetricsCommand({
            Namespace: 'AWS/KMS',
            MetricName: 'SuccessfulRequest',
            Dimensions: [{ Name, Value: arn }],
          }),
        ),
      )
      return Metrics
    }),
  )
  return [...new Map(found.flat().map((metric) => [JSON.stringify(metric), metric])).values()]
}

function operationOf(metric: Metric | undefined): string {
  return metric?.Dimensions?.find(({ Name }) => Name === 'Operation')?.Value ?? ''
}
