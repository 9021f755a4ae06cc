/**
 * The last use of each key. A row that fails its tag is answered as one that proves nothing, and so is a
 * missing row: whoever decides by it takes the key for used. Rows take no change number: nobody caches them.
 *
 * INVARIANT (bound absence): every key has a row, from the transaction that makes the key on. Keys from
 * before tracking began get theirs when it begins.
 * @module
 */
import type { Kysely } from 'kysely'
import type { KeyRef } from '../../model/key.ts'
import type { LastUsage, LostUsage, NotedUsage } from '../../model/last-usage.ts'
import type { BoundRows } from '../bound-rows.ts'
import type { KeyUsageTable, Schema } from '../schema/schema.ts'
import type { RowScope } from '../row-scope.ts'

/** Rows to a statement: bounds its depth and its parameters. */
const savedMax = 250

/**
 * Since when uses are noted: the first call decides, and every later one answers the same. A row that is
 * missing or not genuine begins tracking anew, and with it the idle time of every key without a row.
 * To be called in a transaction.
 */
export async function trackUsageSince(scope: RowScope, now: number): Promise<number> {
  const { query, rows } = scope
  const found = await query
    .selectFrom('key_usage_tracking')
    .selectAll()
    .where('id', '=', 1)
    .executeTakeFirst()
  const known =
    found && isTagged(found) ? rows.genuine('key_usage_tracking', ['1'], found) : undefined
  if (known !== undefined) return known.since
  const row = rows.seal('key_usage_tracking', { id: 1, since: now })
  await query
    .insertInto('key_usage_tracking')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  await insertMissing(scope, now)
  return now
}

/** Rows for the keys that have none. */
async function insertMissing(scope: RowScope, now: number): Promise<void> {
  for (;;) {
    const without = await scope.query
      .selectFrom('keys')
      .leftJoin('key_usage', (join) =>
        join
          .onRef('key_usage.account_id', '=', 'keys.account_id')
          .onRef('key_usage.region', '=', 'keys.region')
          .onRef('key_usage.key_id', '=', 'keys.key_id'),
      )
      .select(['keys.account_id', 'keys.region', 'keys.key_id'])
      .where('key_usage.key_id', 'is', null)
      .limit(savedMax)
      .execute()
    if (without.length === 0) return
    const keys = without.map(({ account_id: accountId, region, key_id: keyId }) => ({
      accountId,
      region,
      keyId,
      createdAt: now,
    }))
    await insertUnused(scope, keys)
  }
}

/** The first rows of keys, which nobody has used since `createdAt`. At most `savedMax` keys. */
export async function insertUnused(
  { query, rows }: RowScope,
  keys: readonly (KeyRef & { readonly createdAt: number })[],
): Promise<void> {
  const unused = keys.map(({ accountId, region, keyId, createdAt }) =>
    rows.seal('key_usage', {
      account_id: accountId,
      region,
      key_id: keyId,
      operation: '',
      used_at: createdAt,
      event_id: '',
      request_id: '',
    }),
  )
  await query.insertInto('key_usage').values(unused).execute()
}

export async function findLastUsage(
  scope: RowScope,
  { accountId, region, keyId }: KeyRef,
): Promise<LastUsage | LostUsage | undefined> {
  const { query, rows } = scope
  const place = { account_id: accountId, region, key_id: keyId }
  const primaryKey = [accountId, region, keyId]
  const row = await query
    .selectFrom('key_usage')
    .selectAll()
    .where((columns) => columns.and(place))
    .executeTakeFirst()
  if (row === undefined) {
    const key = await query
      .selectFrom('keys')
      .select('key_id')
      .where((columns) => columns.and(place))
      .executeTakeFirst()
    if (key === undefined) return undefined
    rows.missing('key_usage', primaryKey)
    return { accountId, region, keyId, unproved: true }
  }
  const proved = isTagged(row) && rows.genuine('key_usage', primaryKey, row) !== undefined
  if (proved && row.operation === '') return undefined
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

function isTagged<T extends { readonly row_tag: Uint8Array | null }>(
  row: T,
): row is T & { readonly row_tag: Uint8Array } {
  return row.row_tag !== null
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
          .where((row) =>
            row.or([
              row('key_usage.operation', '=', ''),
              // Another node may have saved a later use.
              row('excluded.used_at', '>=', row.ref('key_usage.used_at')),
            ]),
          ),
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
