/**
 * Counts of requests by minute, hour and month, and changes in keys' lives. The event index counts
 * them from the journal. They decide nothing and have no row tags.
 * @module
 */
import type { Kysely } from 'kysely'
import {
  countPeriods,
  everyPeriod,
  minuteCounts,
  summed,
  type CountedCall,
  type CountPeriod,
} from '../../model/usage.ts'
import type { KeptTurn, RequestCount } from '../../model/usage.ts'
import { keyTurns, requestCounts as keptCounts } from '../schema/event-index.ts'
import { keyStoreFigures } from '../schema/key-store-figures.ts'
import type { Schema } from '../schema/schema.ts'
import { unnamed } from './table-rows.ts'

/** Counts in one statement. */
const addedMax = 64

/** Runs in the transaction that stores the end of the counted part of the journal. */
export async function saveCounts(
  transaction: Kysely<Schema>,
  calls: readonly CountedCall[],
): Promise<void> {
  const minutes = minuteCounts(calls)
  for (const period of everyPeriod) {
    const counts = period === 'minute' ? minutes : summed(minutes, period)
    for (let start = 0; start < counts.length; start += addedMax) {
      await addCounts(transaction, period, counts.slice(start, start + addedMax))
    }
  }
  for (const { accountId, region, time: at, turns } of calls) {
    for (const turn of turns) {
      await transaction
        .insertInto('key_turns')
        .values(keyTurns.toRow({ ...turn, accountId, region, at }))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
  }
}

/** Adds different counts. */
async function addCounts(
  transaction: Kysely<Schema>,
  period: CountPeriod,
  counts: readonly RequestCount[],
): Promise<void> {
  await transaction
    .insertInto('request_counts')
    .values(counts.map((count) => keptCounts.toRow({ ...count, period })))
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'region', 'period', 'start', 'key_arns', 'operation', 'own'])
        .doUpdateSet((row) => ({
          succeeded: row('request_counts.succeeded', '+', row.ref('excluded.succeeded')),
          failed: row('request_counts.failed', '+', row.ref('excluded.failed')),
        })),
    )
    .execute()
}

/** Selects counts. */
export interface CountPage {
  readonly accountId: string
  /** All Regions if absent. */
  readonly region?: string
  readonly period: CountPeriod
  /** Periods that begin at or after `from` and before `until`. */
  readonly from: number
  readonly until: number
  /** The last count of the page before. */
  readonly after?: RequestCount
  readonly limit: number
}

/** Ordered by Region, time, keys and operation. */
export async function listRequestCounts(
  query: Kysely<Schema>,
  { accountId, region, period, from, until, after, limit }: CountPage,
): Promise<readonly RequestCount[]> {
  const rows = await query
    .selectFrom('request_counts')
    .selectAll()
    .where('account_id', '=', accountId)
    .$if(region !== undefined, (counts) => counts.where('region', '=', region ?? ''))
    .where('period', '=', period)
    .where('start', '>=', from)
    .where('start', '<', until)
    .$if(after !== undefined, (counts) =>
      counts.where((row) =>
        row.eb(
          row.refTuple('region', 'start', 'key_arns', 'operation', 'own'),
          '>',
          row.tuple(
            after?.region ?? '',
            after?.start ?? 0,
            after?.keyArns ?? '',
            after?.operation ?? '',
            after?.own ? 1 : 0,
          ),
        ),
      ),
    )
    .orderBy('region')
    .orderBy('start')
    .orderBy('key_arns')
    .orderBy('operation')
    .orderBy('own')
    .limit(limit)
    .execute()
  return rows.map((row) => {
    const { period: _, ...count } = keptCounts.toRecord(row)
    return count
  })
}

/** Selects changes in keys' lives. */
export interface TurnPage {
  /** Milliseconds since the epoch. */
  readonly before: number
  /** The last change of the page before. */
  readonly after?: Pick<KeptTurn, 'keyArn' | 'at' | 'state'>
  readonly limit: number
}

/** Ordered by key and time. */
export async function listKeyTurns(
  query: Kysely<Schema>,
  accountId: string,
  page: TurnPage,
): Promise<readonly KeptTurn[]> {
  const { before, after, limit } = page
  const rows = await query
    .selectFrom('key_turns')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('at', '<', before)
    .$if(after !== undefined, (turns) =>
      turns.where((row) =>
        row.eb(
          row.refTuple('key_arn', 'at', 'state'),
          '>',
          row.tuple(after?.keyArn ?? '', after?.at ?? 0, after?.state ?? ''),
        ),
      ),
    )
    .orderBy('key_arn')
    .orderBy('at')
    .orderBy('state')
    .limit(limit)
    .execute()
  return rows.map((row) => keyTurns.toRecord(row))
}

/** Tables with the columns `period` and `start`, and an index on them. */
const periodic = [keptCounts, keyStoreFigures]

/** Deletes the oldest counts that are past their retention. Returns whether there may be more. */
export async function deleteOldCounts(query: Kysely<Schema>, now: number): Promise<boolean> {
  let deleted = 0n
  for (const { name } of periodic) {
    for (const period of everyPeriod)
      deleted += await deleteOldest(unnamed(query), name, period, now)
  }
  return deleted > 0n
}

async function deleteOldest(
  query: ReturnType<typeof unnamed>,
  table: string,
  period: CountPeriod,
  now: number,
): Promise<bigint> {
  const oldest = await query
    .selectFrom(table)
    .select('start')
    .where('period', '=', period)
    .where('start', '<', now - countPeriods[period].keptMs)
    .orderBy('start')
    .limit(1)
    .executeTakeFirst()
  if (oldest === undefined) return 0n
  const { numDeletedRows } = await query
    .deleteFrom(table)
    .where((row) => row.and({ period, start: oldest['start'] }))
    .executeTakeFirst()
  return numDeletedRows
}
