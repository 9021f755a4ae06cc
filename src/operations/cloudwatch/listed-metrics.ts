/** Lists the metrics that have values, in pages: expirations, requests, calls, key stores. @module */
import type { Called } from '../../store/tables/metric-rows.ts'
import {
  afterNamesOf,
  callableOperations,
  callsMetric,
  countedNames,
  cryptographicOperations,
  expirationMetric,
  keyStoreMetric,
  operationOf,
  requestsMetric,
  type MetricName,
} from './metric-names.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const hourMs = 3_600_000
const listedForMs = 14 * 24 * hourMs

/** Where the next page begins. */
export type ListedFrom =
  | { readonly of: 'expiration'; readonly after?: string }
  | { readonly of: 'requests'; readonly after?: Called }
  | { readonly of: 'calls' }
  | { readonly of: 'key-stores' }

export interface Listed {
  readonly metrics: readonly MetricName[]
  readonly next?: ListedFrom
}

interface Wanted {
  readonly accountId: string
  readonly region: string
  readonly limit: number
  /** If true, only metrics with values in the last three hours; otherwise in the last two weeks. */
  readonly recent: boolean
  /** If set, only request metrics of this key. */
  readonly keyArn: string | undefined
}

type ListedDependencies = Pick<OperationDependencies, 'figures' | 'clock'>

export function listedMetrics(
  from: ListedFrom,
  wanted: Wanted,
  dependencies: ListedDependencies,
): Promise<Listed> {
  if (from.of === 'expiration') return expirations(from.after, wanted, dependencies)
  if (from.of === 'requests') return requests(from.after, wanted, dependencies)
  return from.of === 'calls' ? calls(wanted, dependencies) : keyStores(wanted, dependencies)
}

async function expirations(
  after: string | undefined,
  { accountId, region, limit }: Wanted,
  { figures }: ListedDependencies,
): Promise<Listed> {
  const page = { limit, ...(after !== undefined && { after }) }
  const keyIds = await figures.listExpiringKeys(accountId, region, page)
  const last = keyIds.at(-1)
  const full = keyIds.length === limit && last !== undefined
  return {
    metrics: keyIds.map(expirationMetric),
    next: full ? { of: 'expiration', after: last } : { of: 'requests' },
  }
}

async function requests(
  after: Called | undefined,
  { limit, keyArn, ...wanted }: Wanted,
  dependencies: ListedDependencies,
): Promise<Listed> {
  const found = await dependencies.figures.listCalled({
    ...periodOf(wanted, dependencies),
    operations: [...cryptographicOperations].flatMap(countedNames),
    ...(keyArn !== undefined && { keyArns: keyArn }),
    ...(after && { after }),
    limit,
  })
  const last = found.at(-1)
  const full = found.length === limit && last !== undefined
  const { accountId } = wanted
  const metrics = new Map(
    found
      .filter(({ keyArns }) => keyArns.split(' ').some((arn) => arn.split(':')[4] === accountId))
      .map(({ keyArns, operation }) => {
        const name = operationOf(operation)
        return [`${keyArns} ${name}`, requestsMetric(keyArns, name)] as const
      }),
  )
  return {
    metrics: [...metrics.values()],
    next: full
      ? {
          of: 'requests',
          // After the counters for all pair specs of the same operation and key.
          after: { keyArns: last.keyArns, operation: afterNamesOf(operationOf(last.operation)) },
        }
      : { of: 'calls' },
  }
}

async function calls(wanted: Wanted, { figures, clock }: ListedDependencies): Promise<Listed> {
  const period = periodOf(wanted, { clock })
  const called = await figures.listCalledOperations(period)
  const names = new Set(called.map(operationOf))
  return {
    metrics: [...names].filter((name) => callableOperations.has(name)).map(callsMetric),
    next: { of: 'key-stores' },
  }
}

/** Ten stores of a few hundred series each. */
const seriesMax = 5000

async function keyStores(wanted: Wanted, dependencies: ListedDependencies): Promise<Listed> {
  const of = { ...periodOf(wanted, dependencies), limit: seriesMax }
  return { metrics: (await dependencies.figures.listKeyStoreSeries(of)).map(keyStoreMetric) }
}

function periodOf(
  { accountId, region, recent }: Pick<Wanted, 'accountId' | 'region' | 'recent'>,
  { clock }: Pick<ListedDependencies, 'clock'>,
): {
  readonly accountId: string
  readonly region: string
  readonly period: 'minute' | 'hour'
  readonly since: number
} {
  const now = clock.now()
  return {
    accountId,
    region,
    period: recent ? 'minute' : 'hour',
    since: now - (recent ? 3 * hourMs : listedForMs),
  }
}
