/** Every operation of CloudWatch that there is; the wire's names lead here. @module */
import { getMetricData } from './cloudwatch/get-metric-data.ts'
import { getMetricStatistics } from './cloudwatch/get-metric-statistics.ts'
import { listMetrics } from './cloudwatch/list-metrics.ts'
import type { Operation } from './operation.ts'

const operations: readonly Operation[] = [getMetricData, getMetricStatistics, listMetrics]

/** By `<service>:<name>`, the service by its signing name: `monitoring:ListMetrics`. */
export const metricRegistry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
