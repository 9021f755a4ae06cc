/**
 * Deletes a key: one transaction deletes everything that belongs to it and leaves a tombstone.
 * @module
 */
import type { KeyRecord } from '../../model/key.ts'
import { grantChangeId, noRow } from '../change.ts'
import { forgetBuried } from './deleted-material-rows.ts'
import { firstSeal, latestSeal, openedBySeals } from './opening-seals.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { StaleRow, type DeletedKeys, type Store, type Transaction } from '../store.ts'

export function keyDeletion(scope: WriteScope): Pick<Transaction, 'deleteKey'> {
  const { query, rows, tally, touch } = scope
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
      const versions = (await isLast(key, scope)) ? await deleteMaterials(key, scope) : []
      // Cascades to its material states and its last use.
      const { numDeletedRows } = await query
        .deleteFrom('keys')
        .where((row) => row.and(place))
        .where('row_version', '=', key.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`key ${accountId}/${region}/${keyId}`)
      const tombstone = rows.seal('deleted_keys', {
        ...place,
        wrapping_versions: JSON.stringify(versions),
        deleted_at: deletedAt,
        seal_generation: await latestSeal(query),
      })
      await query
        .insertInto('deleted_keys')
        .values(tombstone)
        // A replica can be created in its Region again, and be deleted again.
        .onConflict((conflict) =>
          conflict.columns(['account_id', 'region', 'key_id']).doUpdateSet(tombstone),
        )
        .execute()
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

export async function countDeletedKeys({ query, rows }: RowScope): Promise<DeletedKeys> {
  const lastSeals: (number | undefined)[] = []
  for (const row of await query.selectFrom('deleted_keys').selectAll().execute()) {
    const genuine = rows.genuine('deleted_keys', [row.account_id, row.region, row.key_id], row)
    if (genuine === undefined) continue
    // An empty list: it had no material, or a related key in another Region still has it.
    const had = genuine.wrapping_versions !== '[]'
    lastSeals.push(had ? (genuine.seal_generation ?? firstSeal) : undefined)
  }
  const { gone, shredded, bySeal } = await openedBySeals(query, lastSeals)
  const opened = [...bySeal].map(([generation, keys]) => ({ generation, keys }))
  return { gone, shredded, openedBySeals: opened }
}

export function clockMark({
  query,
  rows,
}: RowScope): Pick<Store, 'findClockMark' | 'saveClockMark'> {
  return {
    async findClockMark() {
      const row = await query
        .selectFrom('clock_mark')
        .selectAll()
        .where('id', '=', 1)
        .executeTakeFirst()
      return rows.genuine('clock_mark', ['1'], row)?.reached
    },
    async saveClockMark(reached) {
      const row = rows.seal('clock_mark', { id: 1, reached })
      await query
        .insertInto('clock_mark')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute()
    },
  }
}
