/**
 * GetMetricStatistics — returns statistics of one metric for each period.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
 * @module
 */
import type {
  Datapoint,
  GetMetricStatisticsInput,
  GetMetricStatisticsOutput,
} from '@aws-sdk/client-cloudwatch'
import { KmsError } from '../../errors.ts'
import { integer, list, oneOf, required, text, timestamp } from '../../model/shape.ts'
import { findMetric, unitOf } from './metric-names.ts'
import { dimensions, metricName, namespace, statistics, unit } from './members.ts'
import { metricOperation } from './metric-operation.ts'
import { readSeries, valueOf } from './metric-series.ts'
import { beginOf, readPeriod, requireTimes } from './metric-times.ts'

const pointsMax = 1440

export const getMetricStatistics = metricOperation<
  GetMetricStatisticsInput,
  GetMetricStatisticsOutput
>()({
  name: 'GetMetricStatistics',
  input: {
    Namespace: required(namespace),
    MetricName: required(metricName),
    Dimensions: dimensions,
    StartTime: required(timestamp()),
    EndTime: required(timestamp()),
    Period: required(integer({ min: 1 })),
    Statistics: list(oneOf([...statistics]), { min: 1, max: 5 }),
    ExtendedStatistics: list(text({ max: 255 }), { min: 1, max: 10 }),
    Unit: unit,
  },
  permissions: () => [{ action: 'cloudwatch:GetMetricStatistics', unnamedResource: true }],
  readOnly: true,
  audit: [
    'Namespace',
    'MetricName',
    'Dimensions',
    'StartTime',
    'EndTime',
    'Period',
    'Statistics',
    'ExtendedStatistics',
    'Unit',
  ],
  throws: [
    'ValidationException',
    'InvalidParameterCombinationException',
    'InvalidParameterValueException',
    'AccessDeniedException',
  ],
  check({ StartTime, EndTime, Period, Statistics, ExtendedStatistics }) {
    if (Statistics === undefined && ExtendedStatistics === undefined) {
      throw new KmsError(
        'InvalidParameterCombinationException',
        'Must specify either Statistics or ExtendedStatistics',
      )
    }
    if (ExtendedStatistics !== undefined) {
      throw new KmsError(
        'InvalidParameterValueException',
        'The parameter ExtendedStatistics is not supported: there are no percentiles.',
      )
    }
    requireTimes({ StartTime, EndTime }, 'InvalidParameterValueException')
    periodOf(Period)
    const points = Math.ceil((EndTime.getTime() - StartTime.getTime()) / (Period * 1000))
    if (points > pointsMax) {
      const limit = pointsMax.toLocaleString('en-US')
      throw new KmsError(
        'InvalidParameterCombinationException',
        `You have requested up to ${points.toLocaleString('en-US')} datapoints, which exceeds the ` +
          `limit of ${limit}. You may reduce the datapoints requested by increasing Period, or ` +
          'decreasing the time range.',
      )
    }
  },
  async run({ input, caller: { accountId }, region }, dependencies) {
    const { MetricName: Label, Statistics = [], EndTime, Period, Unit } = input
    const metric = findMetric(input)
    if (metric === undefined) return { Label, Datapoints: [] }
    const unitOfMetric = unitOf(metric)
    if (Unit !== undefined && Unit !== unitOfMetric) return { Label, Datapoints: [] }
    const span = {
      from: beginOf(input.StartTime, dependencies.clock.now()),
      until: EndTime.getTime(),
      periodMs: periodOf(Period),
    }
    const points = await readSeries(metric, { accountId, region }, span, dependencies)
    const Datapoints = points.map((point): Datapoint => ({
      Timestamp: new Date(point.at),
      ...Object.fromEntries(Statistics.map((name) => [name, valueOf(point, name)])),
      Unit: unitOfMetric,
    }))
    return { Label, Datapoints }
  },
})

function periodOf(seconds: number): number {
  return readPeriod(seconds, 'Period', 'InvalidParameterValueException')
}
