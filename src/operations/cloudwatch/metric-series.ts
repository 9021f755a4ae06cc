/**
 * The values of one metric over time, put together by period. Figures of minutes are kept for 15 days and
 * those of hours for 455, as CloudWatch keeps them; how long material lasts is worked out from its date.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
 * @module
 */
import { countPeriods } from '../../model/usage.ts'
import { countedNames, type KnownMetric } from './known-metrics.ts'
import type { Statistic } from './members.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const minuteMs = 60_000
const hourMs = 3_600_000

/** What was seen within one period. */
export interface Point {
  /** Where the period begins, in milliseconds since the epoch. */
  readonly at: number
  readonly SampleCount: number
  readonly Sum: number
  readonly Minimum: number
  readonly Maximum: number
}

export interface Span {
  /** A whole minute: the first period begins here. */
  readonly from: number
  /** Milliseconds since the epoch; nothing that begins here or later counts. */
  readonly until: number
  /** Whole minutes. */
  readonly periodMs: number
}

export interface SeriesPlace {
  readonly accountId: string
  readonly region: string
}

type SeriesDependencies = Pick<OperationDependencies, 'store' | 'figures' | 'clock'>

/** In the order of time; periods without any value are left out. */
export async function readSeries(
  metric: KnownMetric,
  place: SeriesPlace,
  span: Span,
  dependencies: SeriesDependencies,
): Promise<readonly Point[]> {
  const now = dependencies.clock.now()
  const until = Math.min(span.until, now + 1)
  if (metric.kind === 'expiration')
    return expirationSeries(metric.keyId, place, span, until, dependencies)
  const keptMinutes = now - countPeriods.minute.keptMs
  const byHour = span.periodMs % hourMs === 0 && span.from % hourMs === 0
  // An hour of long ago is told only where a period holds all of it.
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

/** Each request is a value of one. */
async function sums(
  metric: Exclude<KnownMetric, { readonly kind: 'expiration' }>,
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

/** Keys as they are counted. Of keys of other accounts alone, their account has the figures. */
function countedKeys(keyArns: readonly string[], accountId: string): readonly string[] {
  const [first, second = first] = keyArns
  if (!keyArns.some((arn) => arn.split(':')[4] === accountId)) return []
  return first === second && first !== undefined
    ? [first, `${first} ${first}`]
    : [keyArns.join(' ')]
}

/** A value each minute, from the import of the material that is there until its date. */
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

/** Where the period begins in which `time` falls. */
function startOf(time: number, from: number, periodMs: number): number {
  return from + Math.floor((time - from) / periodMs) * periodMs
}

export function valueOf(point: Point, statistic: Statistic): number {
  return statistic === 'Average' ? point.Sum / point.SampleCount : point[statistic]
}
