/**
 * Deletes a key: one transaction deletes everything that belongs to it and leaves a tombstone.
 * @module
 */
import type { KeyRecord } from '../../model/key.ts'
import { grantChangeId, noRow } from '../change.ts'
import { StaleRow } from '../row-errors.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { deletedKeys } from '../schema/materials.ts'
import { forgetBuried } from './deleted-material-rows.ts'
import { latestSeal, openedBySeals } from './opening-seals.ts'
import { saveRecord, tableReads } from './table-rows.ts'

export interface KeyDeletion {
  /**
   * Deletes the key with its aliases, grants, material states and last use. Deletes its materials
   * too, unless another Region has a key with the same id.
   * @throws {StaleRow}
   */
  deleteKey(key: KeyRecord, deletedAt: number): Promise<void>
}

/** Counts of deleted keys, by two stages of deletion. */
export interface DeletedKeys {
  /**
   * Keys of which this database holds only a tombstone. A multi-Region key counts once in each
   * Region.
   */
  readonly gone: number
  /** Of those that had material: keys that no copy of the database can open any more. */
  readonly shredded: number
  /** Existing seals of root keys that can open such keys in a copy from before the deletion. */
  readonly openedBySeals: readonly { readonly generation: number; readonly keys: number }[]
}

export function keyDeletion(scope: WriteScope): KeyDeletion {
  const { query, tally, touch } = scope
  return {
    async deleteKey(key, deletedAt) {
      const { accountId, region, keyId } = key
      const place = { account_id: accountId, region, key_id: keyId }
      const aliases = await query
        .deleteFrom('aliases')
        .where((row) => row.and({ account_id: accountId, region, target_key_id: keyId }))
        .returning('name')
        .execute()
      await query
        .deleteFrom('grants')
        .where((row) => row.and(place))
        .execute()
      const wrappingVersions = (await isLast(key, scope)) ? await deleteMaterials(key, scope) : []
      // Cascades to its material states and its last use.
      const { numDeletedRows } = await query
        .deleteFrom('keys')
        .where((row) => row.and(place))
        .where('row_version', '=', key.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`key ${accountId}/${region}/${keyId}`)
      const sealGeneration = await latestSeal(query)
      const tombstone = { accountId, region, keyId, wrappingVersions, deletedAt, sealGeneration }
      // A replica can be created in its Region again, and be deleted again.
      await saveRecord(deletedKeys, scope, tombstone)
      tally.addKey(key, -1)
      for (const { name } of aliases) {
        tally.addAlias({ accountId, region, name }, -1)
        touch({ kind: 'alias', accountId, region, id: name }, noRow)
      }
      touch({ kind: 'key', accountId, region, id: keyId }, noRow)
      // A replica can be created under the same id again, and must not get these grants.
      touch({ kind: 'grant', accountId, region, id: grantChangeId({ keyId }) }, noRow)
    },
  }
}

/** Whether no other Region has a key with this id. Such keys share their materials. */
async function isLast(
  { accountId, region, keyId, primaryRegion }: KeyRecord,
  { query }: RowScope,
): Promise<boolean> {
  if (primaryRegion === undefined) return true
  const other = await query
    .selectFrom('keys')
    .select('region')
    .where((row) => row.and({ account_id: accountId, key_id: keyId }))
    .where('region', '!=', region)
    .where('primary_region', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return other === undefined
}

/** Returns the versions of the domain keys that wrapped the materials. */
async function deleteMaterials(
  { accountId, region, keyId }: KeyRecord,
  scope: WriteScope,
): Promise<readonly number[]> {
  const { query, touch, deletesMaterial } = scope
  deletesMaterial()
  await forgetBuried(scope, { accountId, keyId })
  const gone = await query
    .deleteFrom('key_materials')
    .where((row) => row.and({ account_id: accountId, key_id: keyId }))
    .returning(['material_id', 'wrapping_version'])
    .execute()
  for (const row of gone) touch({ kind: 'material', accountId, region, id: row.material_id })
  return [...new Set(gone.map((row) => row.wrapping_version))].toSorted((a, b) => a - b)
}

export async function countDeletedKeys(scope: RowScope): Promise<DeletedKeys> {
  const { query } = scope
  const found = await query.selectFrom('deleted_keys').selectAll().execute()
  const lastSeals = tableReads(deletedKeys, scope)
    .acceptAll(found)
    // An empty list: it had no material, or a related key in another Region still has it.
    .map((key) => (key.wrappingVersions.length > 0 ? key.sealGeneration : undefined))
  const { gone, shredded, bySeal } = await openedBySeals(query, lastSeals)
  const opened = [...bySeal].map(([generation, keys]) => ({ generation, keys }))
  return { gone, shredded, openedBySeals: opened }
}
