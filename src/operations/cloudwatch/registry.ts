/** The operations of CloudWatch by name. @module */
import { getMetricData } from './get-metric-data.ts'
import { getMetricStatistics } from './get-metric-statistics.ts'
import { listMetrics } from './list-metrics.ts'
import { registryOf } from '../contract/registry.ts'

export const cloudwatchRegistry = registryOf([getMetricData, getMetricStatistics, listMetrics])
