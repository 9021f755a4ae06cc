/**
 * The last use of each key. A row that fails its tag, or has none, is answered as one that proves nothing:
 * whoever decides by it takes the key for used. Rows take no change number: nobody caches them.
 * @module
 */
import type { Kysely } from 'kysely'
import type { KeyRef } from '../model/key.ts'
import type { LastUsage, NotedUsage } from '../model/last-usage.ts'
import type { BoundRows } from './bound-rows.ts'
import type { KeyUsageTable, Schema } from './schema.ts'
import type { RowScope } from './row-scope.ts'

/** Rows to a statement: bounds its depth and its parameters. */
const savedMax = 250

/** Since when uses are noted: the first call says it, every later one answers the same. */
export async function trackUsageSince(query: Kysely<Schema>, now: number): Promise<number> {
  await query
    .insertInto('key_usage_tracking')
    .values({ id: 1, since: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const { since } = await query
    .selectFrom('key_usage_tracking')
    .select('since')
    .where('id', '=', 1)
    .executeTakeFirstOrThrow()
  return since
}

export async function findLastUsage(
  { query, rows }: RowScope,
  { accountId, region, keyId }: KeyRef,
): Promise<LastUsage | undefined> {
  const row = await query
    .selectFrom('key_usage')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { row_tag: tag, ...columns } = row
  const primaryKey = [accountId, region, keyId]
  const proved =
    tag !== null &&
    rows.genuine('key_usage', primaryKey, { ...columns, row_tag: tag }) !== undefined
  return {
    accountId,
    region,
    keyId,
    operation: row.operation as LastUsage['operation'], // written by columnsOf
    usedAt: row.used_at,
    eventId: row.event_id,
    requestId: row.request_id,
    ...(!proved && { unproved: true }),
  }
}

/**
 * Saves what is later than what is stored; a use of a key that is gone is left out. To be called in a
 * transaction, with each key once.
 */
export async function saveLastUsages(
  { query, rows }: RowScope,
  usages: readonly NotedUsage[],
): Promise<void> {
  for (let start = 0; start < usages.length; start += savedMax) {
    const present = await ofPresentKeys(query, usages.slice(start, start + savedMax))
    if (present.length === 0) continue
    await query
      .insertInto('key_usage')
      .values(present.map((usage) => columnsOf(usage, rows)))
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'region', 'key_id'])
          .doUpdateSet((row) => ({
            operation: row.ref('excluded.operation'),
            used_at: row.ref('excluded.used_at'),
            event_id: row.ref('excluded.event_id'),
            request_id: row.ref('excluded.request_id'),
            row_tag: row.ref('excluded.row_tag'),
          }))
          // Another node may have saved a later use.
          .whereRef('excluded.used_at', '>=', 'key_usage.used_at'),
      )
      .execute()
  }
}

/** The tags of the keys' rows are not asked: a forged one can lose a use here, and nothing more. */
async function ofPresentKeys(
  query: Kysely<Schema>,
  usages: readonly NotedUsage[],
): Promise<readonly NotedUsage[]> {
  const found = await query
    .selectFrom('keys')
    .select(['account_id', 'region', 'key_id', 'created_at'])
    .where((row) =>
      row.or(
        usages.map(({ accountId, region, keyId }) =>
          row.and({ account_id: accountId, region, key_id: keyId }),
        ),
      ),
    )
    .execute()
  const nameOf = (...parts: readonly (string | number)[]): string => parts.join('/')
  const present = new Set(
    found.map((row) => nameOf(row.account_id, row.region, row.key_id, row.created_at)),
  )
  return usages.filter(({ accountId, region, keyId, keyCreatedAt }) =>
    present.has(nameOf(accountId, region, keyId, keyCreatedAt)),
  )
}

function columnsOf(usage: LastUsage, rows: BoundRows): KeyUsageTable {
  return rows.seal('key_usage', {
    account_id: usage.accountId,
    region: usage.region,
    key_id: usage.keyId,
    operation: usage.operation,
    used_at: usage.usedAt,
    event_id: usage.eventId,
    request_id: usage.requestId,
  })
}
