/**
 * The last use of each key. A row with a wrong tag, or a missing row, is returned as unproved, and
 * callers that decide by it treat the key as used. Rows have no change number, because they are not
 * cached.
 *
 * INVARIANT (bound absence): every key has a row, from the transaction that creates the key on.
 * Keys from before tracking began get their row when it begins.
 * @module
 */
import type { Kysely } from 'kysely'
import type { KeyRef } from '../../model/key.ts'
import type { LastUsage, LostUsage, NotedUsage } from '../../model/last-usage.ts'
import type { RowScope } from '../row-scope.ts'
import { keyUsage, keyUsageTracking } from '../schema/key-usage.ts'
import type { Schema } from '../schema/schema.ts'
import { insertRecords, saveRecord, tableReads } from './table-rows.ts'

export interface KeyUsageStore {
  /**
   * The time since when uses of keys are recorded: `now` on the first call, and the same ever
   * after. If its row is forged, tracking begins again, so that no key counts as idle before `now`.
   */
  trackUsageSince(now: number): Promise<number>
  /** Undefined for a key that was not used or does not exist. */
  findLastUsage(key: KeyRef): Promise<LastUsage | LostUsage | undefined>
  /**
   * Saves each use that is not older than the stored one, in one transaction without a change
   * number. Each key may occur once. Keys that no longer exist are ignored.
   */
  saveLastUsages(usages: readonly NotedUsage[]): Promise<void>
}

/** Most rows in one statement, which bounds its depth and its parameters. */
const savedMax = 250

/**
 * Returns the time since when uses are recorded: the first call stores it, and later calls return
 * the same. If the row is missing or forged, tracking begins again, and so does the idle time of
 * every key without a row. Call it in a transaction.
 */
export async function trackUsageSince(scope: RowScope, now: number): Promise<number> {
  const known = await tableReads(keyUsageTracking, scope).find({ id: 1 })
  if (known !== undefined) return known.since
  await saveRecord(keyUsageTracking, scope, { id: 1, since: now })
  await insertMissing(scope, now)
  return now
}

/** Inserts rows for the keys that have none. */
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

/** Inserts the first rows of keys, unused since `createdAt`. Pass at most `savedMax` keys. */
export async function insertUnused(
  scope: RowScope,
  keys: readonly (KeyRef & { readonly createdAt: number })[],
): Promise<void> {
  const unused = keys.map(({ accountId, region, keyId, createdAt: usedAt }) => ({
    accountId,
    region,
    keyId,
    usedAt,
    operation: '',
    eventId: '',
    requestId: '',
  }))
  await insertRecords(keyUsage, scope, unused)
}

export async function findLastUsage(
  { query, rows }: RowScope,
  { accountId, region, keyId }: KeyRef,
): Promise<LastUsage | LostUsage | undefined> {
  const place = { account_id: accountId, region, key_id: keyId }
  const primaryKey = Object.values(place)
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
    rows.missing(keyUsage, primaryKey)
    return { accountId, region, keyId, unproved: true }
  }
  const proved = rows.isGenuine(keyUsage, row, primaryKey)
  if (proved && row.operation === '') return undefined
  return {
    ...keyUsage.toRecord(row),
    operation: row.operation as LastUsage['operation'], // a use was recorded
    ...(!proved && { unproved: true }),
  }
}

/**
 * Saves uses that are later than the stored ones, and ignores keys that no longer exist. Call it in
 * a transaction, with each key at most once.
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
      .values(present.map((usage) => rows.seal(keyUsage, keyUsage.toRow(usage))))
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

/**
 * The uses of keys that exist. It does not check tags: a forged key row can only make a use get
 * lost here.
 */
async function ofPresentKeys(
  query: Kysely<Schema>,
  usages: readonly NotedUsage[],
): Promise<readonly NotedUsage[]> {
  const placeOf = ({ accountId, region }: NotedUsage): string => `${accountId}/${region}`
  const places = [...Map.groupBy(usages, placeOf).values()].flatMap((ofPlace) =>
    ofPlace.slice(0, 1).map(({ accountId, region }) => ({
      place: { account_id: accountId, region },
      ids: ofPlace.map(({ keyId }) => keyId),
    })),
  )
  const found = await query
    .selectFrom('keys')
    .select(['account_id', 'region', 'key_id', 'created_at'])
    .where((row) =>
      row.or(places.map((of) => row.and([row.and(of.place), row('key_id', 'in', of.ids)]))),
    )
    .execute()
  const createdAt = new Map(
    found.map((row) => [`${row.account_id}/${row.region}/${row.key_id}`, row.created_at]),
  )
  return usages.filter(
    (usage) => createdAt.get(`${placeOf(usage)}/${usage.keyId}`) === usage.keyCreatedAt,
  )
}
