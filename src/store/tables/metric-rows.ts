/**
 * The reads behind CloudWatch's metrics: counts of requests by key and operation, and keys with
 * expiring material. They decide nothing, so tags are not checked.
 * @module
 */
import type { Kysely } from 'kysely'
import { countPeriods, type CountPeriod, type RequestCount } from '../../model/usage.ts'
import type { KeyFigures } from '../../model/key-figures.ts'
import type { Schema } from '../schema/schema.ts'
import type { Page } from '../page.ts'

export type Called = Pick<RequestCount, 'keyArns' | 'operation'>

export interface CalledPage {
  readonly accountId: string
  readonly region: string
  /** As counted: with the spec for operations that make key pairs. */
  readonly operations: readonly string[]
  /** Only these keys; all keys if absent. */
  readonly keyArns?: string
  /** Only what succeeded in a period that begins at or after `since`. */
  readonly period: Exclude<CountPeriod, 'month'>
  readonly since: number
  /** The last entry of the page before. */
  readonly after?: Called
  readonly limit: number
}

/**
 * Reads the counts of months, of which there are few, to find the keys and operations that occur at
 * all.
 */
export async function listCalled(
  query: Kysely<Schema>,
  { accountId, region, operations, keyArns, period, since, after, limit }: CalledPage,
): Promise<readonly Called[]> {
  const rows = await query
    .selectFrom('request_counts as months')
    .select(['months.key_arns', 'months.operation'])
    .distinct()
    .where('months.account_id', '=', accountId)
    .where('months.region', '=', region)
    .where('months.period', '=', 'month')
    .where('months.start', '>=', countPeriods.month.startOf(since))
    .where('months.succeeded', '>', 0)
    .where('months.operation', 'in', operations)
    .$if(keyArns !== undefined, (counts) => counts.where('months.key_arns', '=', keyArns ?? ''))
    .$if(after !== undefined, (counts) =>
      counts.where((row) =>
        row.eb(
          row.refTuple('months.key_arns', 'months.operation'),
          '>',
          row.tuple(after?.keyArns ?? '', after?.operation ?? ''),
        ),
      ),
    )
    .where((row) =>
      row.exists(
        row
          .selectFrom('request_counts as recent')
          .select('recent.start')
          .where('recent.account_id', '=', accountId)
          .where('recent.region', '=', region)
          .where('recent.period', '=', period)
          .whereRef('recent.key_arns', '=', 'months.key_arns')
          .whereRef('recent.operation', '=', 'months.operation')
          .where('recent.start', '>=', since)
          .where('recent.succeeded', '>', 0),
      ),
    )
    .orderBy('months.key_arns')
    .orderBy('months.operation')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ keyArns: row.key_arns, operation: row.operation }))
}

/** Operations, as counted, that the account's own callers used, in order. */
export async function listCalledOperations(
  query: Kysely<Schema>,
  { accountId, region, period, since }: Omit<CalledPage, 'operations' | 'limit'>,
): Promise<readonly string[]> {
  const rows = await query
    .selectFrom('request_counts')
    .select('operation')
    .distinct()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('period', '=', period)
    .where('start', '>=', since)
    .where('own', '=', 1)
    .orderBy('operation')
    .execute()
  return rows.map(({ operation }) => operation)
}

/** Selects the requests to sum up. */
export interface CountedRequests {
  readonly accountId: string
  readonly region: string
  readonly operations: readonly string[]
  /** Any of these keys. If absent, all keys, but only calls of the account's own callers. */
  readonly keyArns?: readonly string[]
  readonly period: Exclude<CountPeriod, 'month'>
  /** Periods that begin at or after `from` and before `until`. */
  readonly from: number
  readonly until: number
}

export interface RequestSum {
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly succeeded: number
  readonly failed: number
}

export async function sumRequests(
  query: Kysely<Schema>,
  { accountId, region, operations, keyArns, period, from, until }: CountedRequests,
): Promise<readonly RequestSum[]> {
  return query
    .selectFrom('request_counts')
    .select(({ fn }) => [
      'start',
      fn.sum<number>('succeeded').as('succeeded'),
      fn.sum<number>('failed').as('failed'),
    ])
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('period', '=', period)
    .where('operation', 'in', operations)
    .$if(keyArns !== undefined, (counts) => counts.where('key_arns', 'in', keyArns ?? []))
    .$if(keyArns === undefined, (counts) => counts.where('own', '=', 1))
    .where('start', '>=', from)
    .where('start', '<', until)
    .groupBy('start')
    .orderBy('start')
    .execute()
}

/** Ordered by key id. */
export async function listExpiringKeys(
  query: Kysely<Schema>,
  accountId: string,
  region: string,
  { after, limit }: Page,
): Promise<readonly string[]> {
  const rows = await query
    .selectFrom('keys')
    .select('key_id')
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('material_expires_at', 'is not', null)
    .$if(after !== undefined, (keys) => keys.where('key_id', '>', after ?? ''))
    .orderBy('key_id')
    .limit(limit)
    .execute()
  return rows.map(({ key_id: keyId }) => keyId)
}

/** Counts over all accounts and Regions. */
export async function keyFigures(query: Kysely<Schema>): Promise<KeyFigures> {
  const states = await query
    .selectFrom('keys')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute()
  const { soonest } = await query
    .selectFrom('keys')
    .select(({ fn }) => fn.min('material_expires_at').as('soonest'))
    .executeTakeFirstOrThrow()
  return {
    byState: Object.fromEntries(states.map(({ state, count }) => [state, count])),
    ...(soonest !== null && { soonestExpiry: soonest }),
  }
}
