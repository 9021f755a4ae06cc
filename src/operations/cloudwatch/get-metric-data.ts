/**
 * GetMetricData — returns values of up to 500 metrics, in pages.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 * @module
 */
import type {
  GetMetricDataInput,
  GetMetricDataOutput,
  MetricDataResult,
} from '@aws-sdk/client-cloudwatch'
import { KmsError } from '../../errors.ts'
import {
  boolean,
  integer,
  list,
  oneOf,
  required,
  structure,
  text,
  timestamp,
} from '../../model/shape.ts'
import { accountName, dimensions, metricName, namespace, nextToken, unit } from './members.ts'
import { metricOperation } from './metric-operation.ts'
import { openMetricToken } from './metric-token.ts'
import { readQueries, type MetricQuery } from './metric-queries.ts'
import { readSeries, valueOf, type Point, type SeriesPlace } from './metric-series.ts'
import { beginOf, requireTimes } from './metric-times.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

/** Maximum data points in one response, and maximum periods examined for it. */
const pointsMax = 100_800

export const getMetricData = metricOperation<GetMetricDataInput, GetMetricDataOutput>()({
  name: 'GetMetricData',
  input: {
    MetricDataQueries: required(
      list(
        structure({
          Id: required(text({ min: 1, max: 255 })),
          MetricStat: structure({
            Metric: required(
              structure({ Namespace: namespace, MetricName: metricName, Dimensions: dimensions }),
            ),
            Period: required(integer({ min: 1 })),
            Stat: required(text({ max: 255 })),
            Unit: unit,
          }),
          Expression: text({ min: 1, max: 2048 }),
          Label: text({ max: 2048 }),
          ReturnData: boolean(),
          Period: integer({ min: 1 }),
          AccountId: accountName,
        }),
        { max: 500 },
      ),
    ),
    StartTime: required(timestamp()),
    EndTime: required(timestamp()),
    NextToken: nextToken,
    ScanBy: oneOf(['TimestampDescending', 'TimestampAscending']),
    MaxDatapoints: integer(),
    LabelOptions: structure({ Timezone: text({ max: 50 }) }),
  },
  permissions: () => [{ action: 'cloudwatch:GetMetricData', unnamedResource: true }],
  readOnly: true,
  audit: ['MetricDataQueries', 'StartTime', 'EndTime', 'NextToken', 'ScanBy', 'MaxDatapoints'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidNextToken'],
  check({ MetricDataQueries, StartTime, EndTime, MaxDatapoints = pointsMax }) {
    requireTimes({ StartTime, EndTime }, 'ValidationException')
    if (MaxDatapoints < 1 || MaxDatapoints > pointsMax) {
      throw new KmsError(
        'ValidationException',
        `The value for parameter MaxDatapoints must be between 1 and ${pointsMax}.`,
      )
    }
    readQueries(MetricDataQueries)
  },
  async run({ input, caller: { accountId }, region }, dependencies) {
    const { StartTime, EndTime, ScanBy = 'TimestampDescending', MaxDatapoints = pointsMax } = input
    const queries = readQueries(input.MetricDataQueries)
    const place = { accountId, region }
    const question = JSON.stringify(['GetMetricData', place, queries, StartTime, EndTime, ScanBy])
    const marker = openMetricToken(dependencies.pages, question, input.NextToken)
    const answer = await readPage(queries, marker as Marker | undefined, {
      place,
      start: StartTime,
      until: EndTime.getTime(),
      descending: ScanBy === 'TimestampDescending',
      pointsMax: MaxDatapoints,
      dependencies,
    })
    return {
      MetricDataResults: answer.results,
      Messages: [],
      ...(answer.next && {
        NextToken: dependencies.pages.seal(question, JSON.stringify(answer.next)),
      }),
    }
  },
})

/** Where a page begins: the query, and the period in it. */
interface Marker {
  readonly query: number
  /** The first remaining period. In descending order, the period after the last remaining one. */
  readonly at?: number
}

interface Scan {
  readonly place: SeriesPlace
  readonly start: Date
  readonly until: number
  readonly descending: boolean
  readonly pointsMax: number
  readonly dependencies: OperationDependencies
}

async function readPage(
  queries: readonly MetricQuery[],
  marker: Marker = { query: 0 },
  scan: Scan,
): Promise<{ readonly results: MetricDataResult[]; readonly next?: Marker }> {
  const results: MetricDataResult[] = []
  let points = scan.pointsMax
  let periods = pointsMax
  for (const [index, query] of queries.entries()) {
    if (index < marker.query) continue
    const from = index === marker.query ? marker.at : undefined
    const read = await readWindow(query, from, { points, periods }, scan)
    results.push(resultOf(query, read))
    if (read.next !== undefined) return { results, next: { query: index, at: read.next } }
    points -= read.points.length
    periods -= read.periods
    const more = index + 1 < queries.length
    if (more && (points <= 0 || periods <= 0)) return { results, next: { query: index + 1 } }
  }
  return { results }
}

interface ReadWindow {
  readonly points: readonly Point[]
  /** Number of examined periods. */
  readonly periods: number
  /** Where the next page begins. */
  readonly next?: number
}

/** Examines at most `left.periods` periods and returns at most `left.points` values. */
async function readWindow(
  { metric, periodMs }: MetricQuery,
  marker: number | undefined,
  left: { readonly points: number; readonly periods: number },
  { place, start, until, descending, dependencies }: Scan,
): Promise<ReadWindow> {
  if (metric === undefined) return { points: [], periods: 0 }
  // Periods are aligned to multiples of their length, whatever the start of the request.
  const first = Math.floor(beginOf(start, dependencies.clock.now()) / periodMs) * periodMs
  const from = descending ? first : (marker ?? first)
  const end = descending ? (marker ?? until) : until
  const periods = Math.min(left.periods, Math.ceil((end - from) / periodMs))
  const allPeriods = Math.ceil((end - from) / periodMs)
  const begin = descending ? from + (allPeriods - periods) * periodMs : from
  const window = { from: begin, until: Math.min(end, begin + periods * periodMs), periodMs }
  const found = await readSeries(metric, place, window, dependencies)
  const ordered = descending ? found.toReversed() : found
  const points = ordered.slice(0, left.points)
  const cut = ordered[left.points]
  if (cut !== undefined) return { points, periods, next: descending ? cut.at + periodMs : cut.at }
  if (periods === allPeriods) return { points, periods }
  return { points, periods, next: descending ? begin : window.until }
}

function resultOf({ id, label, statistic }: MetricQuery, read: ReadWindow): MetricDataResult {
  return {
    Id: id,
    Label: label,
    Timestamps: read.points.map(({ at }) => new Date(at)),
    Values: read.points.map((point) => valueOf(point, statistic)),
    StatusCode: read.next === undefined ? 'Complete' : 'PartialData',
  }
}
