/** Checks and reads the queries of GetMetricData. @module */
import { KmsError } from '../../errors.ts'
import { statistics, type Statistic } from './members.ts'
import { findMetric, unitOf, type Dimension, type Metric } from './metric-names.ts'
import { readPeriod } from './metric-times.ts'

/** A query in the request. */
interface MetricDataQuery {
  readonly Id: string
  readonly MetricStat?: {
    readonly Metric: {
      readonly Namespace?: string
      readonly MetricName?: string
      readonly Dimensions?: readonly Dimension[]
    }
    readonly Period: number
    readonly Stat: string
    readonly Unit?: string
  }
  readonly Expression?: string
  readonly Label?: string
  readonly ReturnData?: boolean
  readonly AccountId?: string
}

export interface MetricQuery {
  readonly id: string
  readonly label: string
  /** Undefined if the metric or the unit does not exist. */
  readonly metric: Metric | undefined
  readonly statistic: Statistic
  readonly periodMs: number
}

/**
 * Returns the queries that return values.
 * @throws {KmsError} `ValidationException`
 */
export function readQueries(queries: readonly MetricDataQuery[]): readonly MetricQuery[] {
  if (queries.length === 0) throw invalid('The collection MetricDataQueries must not be empty.')
  if (new Set(queries.map(({ Id }) => Id)).size < queries.length) {
    throw invalid('The values for parameter id in MetricDataQueries are not unique.')
  }
  return queries.flatMap((query, index) => {
    const read = readQuery(query, `MetricDataQueries.member.${index + 1}`)
    return query.ReturnData === false ? [] : [read]
  })
}

function readQuery(query: MetricDataQuery, place: string): MetricQuery {
  const { Id: id, MetricStat: stat, Expression, AccountId } = query
  if (!/^[a-z][a-zA-Z0-9_]*$/.test(id)) {
    throw invalid(`The value for parameter ${place}.Id must match ^[a-z][a-zA-Z0-9_]*$.`)
  }
  if (Expression !== undefined) {
    throw invalid(`The parameter ${place}.Expression is not supported: there is no metric math.`)
  }
  if (AccountId !== undefined) {
    throw invalid(`The parameter ${place}.AccountId is not supported: no accounts are linked.`)
  }
  if (stat === undefined) throw invalid(`The parameter ${place}.MetricStat is required.`)
  const statistic = statistics.find((known) => known === stat.Stat)
  if (statistic === undefined) {
    throw invalid(`The value for parameter ${place}.MetricStat.Stat is not a valid statistic.`)
  }
  const metric = findMetric(stat.Metric)
  const otherUnit = metric && stat.Unit !== undefined && stat.Unit !== unitOf(metric)
  return {
    id,
    label: query.Label ?? stat.Metric.MetricName ?? id,
    metric: otherUnit ? undefined : metric,
    statistic,
    periodMs: readPeriod(stat.Period, `${place}.MetricStat.Period`, 'ValidationException'),
  }
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
