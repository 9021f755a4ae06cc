/**
 * The values of one metric over time, aggregated by period. Counts by the minute are kept for 15 days and
 * counts by the hour for 455 days, as in CloudWatch. Times until expiry are computed from the expiry
 * date.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
 * @module
 */
import { countPeriods } from '../../model/usage.ts'
import { countedNames, type Metric } from './metric-names.ts'
import type { Statistic } from './members.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const minuteMs = 60_000
const hourMs = 3_600_000

/** The aggregated values of one period. */
export interface Point {
  /** Start of the period, in milliseconds since the epoch. */
  readonly at: number
  readonly SampleCount: number
  readonly Sum: number
  readonly Minimum: number
  readonly Maximum: number
}

export interface Span {
  /** Start of the first period, a whole minute, in milliseconds since the epoch. */
  readonly from: number
  /** Exclusive end, in milliseconds since the epoch. */
  readonly until: number
  /** A multiple of a minute. */
  readonly periodMs: number
}

export interface SeriesPlace {
  readonly accountId: string
  readonly region: string
}

type SeriesDependencies = Pick<OperationDependencies, 'store' | 'figures' | 'clock'>

/** Returns the points in order of time, without periods that have no value. */
export async function readSeries(
  metric: Metric,
  place: SeriesPlace,
  span: Span,
  dependencies: SeriesDependencies,
): Promise<readonly Point[]> {
  const now = dependencies.clock.now()
  const until = Math.min(span.until, now + 1)
  if (metric.kind === 'expiration')
    return expirationSeries(metric.keyId, place, span, until, dependencies)
  const keptMinutes = now - countPeriods.minute.keptMs
  if (metric.kind === 'key-store') return keyStoreSeries(metric, place, span, until, dependencies)
  const byHour = span.periodMs % hourMs === 0 && span.from % hourMs === 0
  // Hourly counts are used only if each hour lies in one period.
  const hoursUntil = byHour ? Math.min(until, Math.ceil(keptMinutes / hourMs) * hourMs) : span.from
  const hours = await sums(metric, place, 'hour', span.from, hoursUntil, dependencies)
  const from = Math.max(span.from, hoursUntil, keptMinutes)
  const minutes = await sums(metric, place, 'minute', from, until, dependencies)
  const points = new Map<number, number>()
  for (const { start, count } of [...hours, ...minutes]) {
    const at = startOf(start, span.from, span.periodMs)
    points.set(at, (points.get(at) ?? 0) + count)
  }
  return [...points].map(([at, count]) => ({
    at,
    SampleCount: count,
    Sum: count,
    Minimum: 1,
    Maximum: 1,
  }))
}

/** Reads counts. Each request counts as a value of 1. */
async function sums(
  metric: Exclude<Metric, { readonly kind: 'expiration' | 'key-store' }>,
  { accountId, region }: SeriesPlace,
  period: 'minute' | 'hour',
  from: number,
  until: number,
  { figures }: SeriesDependencies,
): Promise<readonly { readonly start: number; readonly count: number }[]> {
  if (from >= until) return []
  const { kind, operation } = metric
  const found = await figures.sumRequests({
    accountId,
    region,
    operations: countedNames(operation),
    ...(kind === 'requests' && { keyArns: countedKeys(metric.keyArns, accountId) }),
    period,
    from,
    until,
  })
  return found
    .map(({ start, succeeded, failed }) => ({
      start,
      count: kind === 'requests' ? succeeded : succeeded + failed,
    }))
    .filter(({ count }) => count > 0)
}

/**
 * The counter names for these keys. Requests with only other accounts' keys are counted in those accounts.
 */
function countedKeys(keyArns: readonly string[], accountId: string): readonly string[] {
  const [first, second = first] = keyArns
  if (!keyArns.some((arn) => arn.split(':')[4] === accountId)) return []
  return first === second && first !== undefined
    ? [first, `${first} ${first}`]
    : [keyArns.join(' ')]
}

/** Hours are read where periods are whole hours, because they are kept longer. */
async function keyStoreSeries(
  metric: Extract<Metric, { readonly kind: 'key-store' }>,
  place: SeriesPlace,
  { from, periodMs }: Span,
  until: number,
  { figures }: SeriesDependencies,
): Promise<readonly Point[]> {
  const period = periodMs % hourMs === 0 && from % hourMs === 0 ? 'hour' : 'minute'
  const found = await figures.listKeyStoreFigures({ ...metric, ...place, period, from, until })
  const points = new Map<number, Point>()
  for (const { start, samples, sum, minimum, maximum } of found) {
    const at = startOf(start, from, periodMs)
    const before = points.get(at)
    points.set(at, {
      at,
      SampleCount: samples + (before?.SampleCount ?? 0),
      Sum: sum + (before?.Sum ?? 0),
      Minimum: Math.min(minimum, before?.Minimum ?? Infinity),
      Maximum: Math.max(maximum, before?.Maximum ?? -Infinity),
    })
  }
  return [...points.values()]
}

/** One value each minute, from the import of the present material until it expires. */
async function expirationSeries(
  keyId: string,
  place: SeriesPlace,
  { from, periodMs }: Span,
  until: number,
  { store }: SeriesDependencies,
): Promise<readonly Point[]> {
  const key = await store.findKey({ ...place, keyId })
  const { currentMaterialId, materialExpiresAt: expiresAt } = key ?? {}
  if (expiresAt === undefined || currentMaterialId === undefined) return []
  const material = await store.findMaterial(currentMaterialId)
  if (material === undefined) return []
  const first = Math.max(from, Math.ceil(material.createdAt / minuteMs) * minuteMs)
  const end = Math.min(until, expiresAt)
  const points: Point[] = []
  for (let at = startOf(first, from, periodMs); at < end; at += periodMs) {
    const begin = Math.max(at, first)
    const SampleCount = Math.ceil((Math.min(at + periodMs, end) - begin) / minuteMs)
    if (SampleCount <= 0) continue
    const Maximum = Math.floor((expiresAt - begin) / 1000)
    const Minimum = Maximum - (SampleCount - 1) * 60
    const Sum = (SampleCount * (Maximum + Minimum)) / 2
    points.push({ at, SampleCount, Sum, Minimum, Maximum })
  }
  return points
}

/** The start of the period that contains `time`. */
function startOf(time: number, from: number, periodMs: number): number {
  return from + Math.floor((time - from) / periodMs) * periodMs
}

export function valueOf(point: Point, statistic: Statistic): number {
  return statistic === 'Average' ? point.Sum / point.SampleCount : point[statistic]
}
