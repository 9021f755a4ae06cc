/**
 * The rows of KMS keys.
 *
 * A key with a forged row counts as absent everywhere. It cannot be shown in the state
 * `Unavailable`, because its ARN, policy and account may be the attacker's, and they decide who may
 * see the key. Absence denies every use of it, and the report raises the alarm.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import { acceptedPage } from '../bound-rows.ts'
import { changedKey, keyColumns, keyOf } from './key-columns.ts'
import { insertUnused } from './key-usage-rows.ts'
import { countOf } from './resource-counts.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { KeysTable, Schema } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<
  StoreReads,
  | 'findKey'
  | 'listRelatedKeys'
  | 'listMultiRegionKeys'
  | 'listKeys'
  | 'listKeyRegions'
  | 'countKeys'
>
type Writes = Pick<Transaction, 'insertKey' | 'updateKey' | 'confirmKey'>

export function keyReads(scope: RowScope): Reads {
  const { query, rows } = scope
  return {
    async findKey(ref) {
      const found = await query
        .selectFrom('keys')
        .selectAll()
        .where((row) => isKey(row, ref))
        .executeTakeFirst()
      const row = rows.genuine('keys', nameOf(ref), found)
      return row && keyOf(row)
    },
    async listRelatedKeys({ accountId, keyId }) {
      const found = await query
        .selectFrom('keys')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('key_id', '=', keyId)
        .where('primary_region', 'is not', null)
        .orderBy('region')
        .execute()
      return found.flatMap((each) => {
        const row = rows.genuine('keys', [accountId, each.region, keyId], each)
        return row === undefined ? [] : [keyOf(row)]
      })
    },
    listMultiRegionKeys: (accountId, limit) => listMultiRegionKeys(scope, accountId, limit),
    async listKeyRegions(accountId) {
      const found = await query
        .selectFrom('keys')
        .select('region')
        .distinct()
        .where('account_id', '=', accountId)
        .orderBy('region')
        .execute()
      return found.map(({ region }) => region)
    },
    listKeys(accountId, region, page) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly KeysTable[]> =>
        query
          .selectFrom('keys')
          .selectAll()
          .where('account_id', '=', accountId)
          .where('region', '=', region)
          .$if(after !== undefined, (keys) => keys.where('key_id', '>', after ?? ''))
          .orderBy('key_id')
          .limit(limit)
          .execute()
      return acceptedPage(
        page,
        fetch,
        (row) => row.key_id,
        (found) => {
          const row = rows.genuine('keys', [accountId, region, found.key_id], found)
          return row && keyOf(row)
        },
      )
    },
    countKeys: (accountId, region) => countOf(scope, { accountId, region, kind: 'keys' }),
  }
}

async function listMultiRegionKeys(
  { query, rows }: RowScope,
  accountId: string,
  limit: number,
): Promise<readonly KeyRecord[]> {
  const found = await query
    .selectFrom('keys')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('primary_region', 'is not', null)
    .orderBy('key_id')
    .orderBy('region')
    .limit(limit)
    .execute()
  return found.flatMap((each) => {
    const row = rows.genuine('keys', [accountId, each.region, each.key_id], each)
    return row === undefined ? [] : [keyOf(row)]
  })
}

export function keyWrites({ query, rows, tally, touch }: WriteScope): Writes {
  const touchKey = ({ accountId, region, keyId, rowVersion }: KeyRecord): void =>
    touch({ kind: 'key', accountId, region, id: keyId }, rowVersion)
  return {
    async insertKey(key) {
      const record = { ...key, rowVersion: 1 }
      await query
        .insertInto('keys')
        .values(rows.seal('keys', keyColumns(record)))
        .execute()
      await insertUnused({ query, rows }, [record])
      tally.addKey(key, 1)
      touchKey(record)
      return record
    },
    async updateKey(key, changes) {
      const updated = changedKey(key, changes)
      // Writes every column, so that no value of a row that was forged in the meantime gets a valid
      // tag.
      const { numUpdatedRows } = await query
        .updateTable('keys')
        .set(rows.seal('keys', keyColumns(updated)))
        .where((row) => isKey(row, key))
        .where('row_version', '=', key.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(key)
      touchKey(updated)
      return updated
    },
    async confirmKey(key) {
      // A write that changes nothing locks the row in every engine.
      const found = await query
        .updateTable('keys')
        .set({ row_version: key.rowVersion })
        .where((row) => isKey(row, key))
        .where('row_version', '=', key.rowVersion)
        .returningAll()
        .executeTakeFirst()
      if (rows.genuine('keys', nameOf(key), found) === undefined) throw stale(key)
    },
  }
}

function isKey(
  row: ExpressionBuilder<Schema, 'keys'>,
  { accountId, region, keyId }: KeyRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId })
}

function nameOf({ accountId, region, keyId }: KeyRef): readonly string[] {
  return [accountId, region, keyId]
}

function stale(key: KeyRecord): StaleRow {
  return new StaleRow(`key ${nameOf(key).join('/')}`)
}
