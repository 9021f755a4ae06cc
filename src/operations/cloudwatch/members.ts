/** Input members that CloudWatch's operations share, with the limits of its model. @module */
import { list, oneOf, required, structure, text } from '../../model/shape.ts'

export const namespace = text({ min: 1, max: 255, pattern: '[^:].*' })
export const metricName = text({ min: 1, max: 255 })
export const dimensionName = text({ min: 1, max: 255 })
export const dimensionValue = text({ min: 1, max: 1024 })
export const dimensions = list(
  structure({ Name: required(dimensionName), Value: required(dimensionValue) }),
  { max: 30 },
)
export const accountName = text({ min: 1, max: 255 })
/** AWS documents no maximum. */
export const nextToken = text({ max: 8192 })
export const statistics = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'] as const
export type Statistic = (typeof statistics)[number]
export const unit = oneOf([
  'Seconds',
  'Microseconds',
  'Milliseconds',
  'Bytes',
  'Kilobytes',
  'Megabytes',
  'Gigabytes',
  'Terabytes',
  'Bits',
  'Kilobits',
  'Megabits',
  'Gigabits',
  'Terabits',
  'Percent',
  'Count',
  'Bytes/Second',
  'Kilobytes/Second',
  'Megabytes/Second',
  'Gigabytes/Second',
  'Terabytes/Second',
  'Bits/Second',
  'Kilobits/Second',
  'Megabits/Second',
  'Gigabits/Second',
  'Terabits/Second',
  'Count/Second',
  'None',
])
