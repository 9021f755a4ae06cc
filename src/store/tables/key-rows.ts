/**
 * The rows of KMS keys.
 *
 * A key with a forged row counts as absent everywhere. It cannot be shown in the state
 * `Unavailable`, because its ARN, policy and account may be the attacker's, and they decide who may
 * see the key. Absence denies every use of it, and the report raises the alarm.
 * @module
 */
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { keys } from '../schema/keys.ts'
import type { Row } from '../schema/schema.ts'
import { insertUnused } from './key-usage-rows.ts'
import { countOf } from './resource-counts.ts'
import { tableReads, tableWrites, type Changes } from './table-rows.ts'

export interface KeyReads {
  findKey(ref: KeyRef): Promise<KeyRecord | undefined>
  /** All multi-Region keys with this id, by Region. Empty for a single-Region key. */
  listRelatedKeys(key: Pick<KeyRef, 'accountId' | 'keyId'>): Promise<readonly KeyRecord[]>
  /** An account's multi-Region keys in all Regions, by id and Region. */
  listMultiRegionKeys(accountId: string, limit: number): Promise<readonly KeyRecord[]>
  /** Keys of an account and Region, by key id. */
  listKeys(accountId: string, region: string, page: Page): Promise<readonly KeyRecord[]>
  /** The Regions in which an account has keys. */
  listKeyRegions(accountId: string): Promise<readonly string[]>
  /** Customer managed keys of an account and Region. */
  countKeys(accountId: string, region: string): Promise<number>
}

/** The members of a key that a change may set. `undefined` clears an optional member. */
export type KeyChanges = Changes<
  Omit<
    KeyRecord,
    | keyof KeyRef
    | 'spec'
    | 'usage'
    | 'origin'
    | 'manager'
    | 'customKeyStoreId'
    | 'xksKeyId'
    | 'createdAt'
    | 'rowVersion'
  >
>

export interface KeyWrites {
  insertKey(key: Omit<KeyRecord, 'rowVersion'>): Promise<KeyRecord>
  /** @throws {StaleRow} if the stored row is not at `key.rowVersion` */
  updateKey(key: KeyRecord, changes: KeyChanges): Promise<KeyRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmKey(key: KeyRecord): Promise<void>
}

export function keyReads(scope: RowScope): KeyReads {
  const { find, acceptAll, page: pageOf } = tableReads(keys, scope)
  const all = () => scope.query.selectFrom('keys').selectAll()
  return {
    findKey: find,
    async listRelatedKeys({ accountId, keyId }) {
      const found = await all()
        .where('account_id', '=', accountId)
        .where('key_id', '=', keyId)
        .where('primary_region', 'is not', null)
        .orderBy('region')
        .execute()
      return acceptAll(found)
    },
    async listMultiRegionKeys(accountId, limit) {
      const found = await all()
        .where('account_id', '=', accountId)
        .where('primary_region', 'is not', null)
        .orderBy('key_id')
        .orderBy('region')
        .limit(limit)
        .execute()
      return acceptAll(found)
    },
    async listKeyRegions(accountId) {
      const found = await scope.query
        .selectFrom('keys')
        .select('region')
        .distinct()
        .where('account_id', '=', accountId)
        .orderBy('region')
        .execute()
      return found.map(({ region }) => region)
    },
    listKeys(accountId, region, page) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly Row<'keys'>[]> =>
        all()
          .where('account_id', '=', accountId)
          .where('region', '=', region)
          .$if(after !== undefined, (some) => some.where('key_id', '>', after ?? ''))
          .orderBy('key_id')
          .limit(limit)
          .execute()
      return pageOf(page, fetch, (row) => row.key_id)
    },
    countKeys: (accountId, region) => countOf(scope, { accountId, region, kind: 'keys' }),
  }
}

export function keyWrites(scope: WriteScope): KeyWrites {
  const writes = tableWrites(keys, scope, { isDeferred: true })
  return {
    async insertKey(key) {
      const inserted = await writes.insert(key)
      await insertUnused(scope, [inserted])
      scope.tally.addKey(inserted, 1)
      return inserted
    },
    updateKey: writes.update,
    confirmKey: writes.confirm,
  }
}
