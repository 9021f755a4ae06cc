/**
 * Tombstones of imported materials that were deleted from existing keys. A tombstone goes when the
 * material is imported again, or when its key is deleted and gets a tombstone itself.
 * @module
 */
import type { KeyRef } from '../../model/key.ts'
import { firstSeal, latestSeal, openedBySeals } from './opening-seals.ts'
import type { RowScope } from '../row-scope.ts'
import type { KeyMaterialsTable } from '../schema/schema.ts'
import type { DeletedMaterials } from '../store.ts'

/** Columns of a material's row that had its bytes and now has none. */
export type LostMaterial = Pick<
  KeyMaterialsTable,
  'account_id' | 'key_id' | 'material_id' | 'wrapping_version'
>

export async function buryMaterial({ query, rows }: RowScope, lost: LostMaterial): Promise<void> {
  const tombstone = rows.seal('deleted_materials', {
    account_id: lost.account_id,
    key_id: lost.key_id,
    material_id: lost.material_id,
    wrapping_version: lost.wrapping_version,
    seal_generation: await latestSeal(query),
  })
  await query
    .insertInto('deleted_materials')
    .values(tombstone)
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'key_id', 'material_id']).doUpdateSet(tombstone),
    )
    .execute()
}

/** Removes the tombstone of a material that is imported again, whatever old copies contain. */
export async function unburyMaterial(
  { query }: RowScope,
  { account_id, key_id, material_id }: Omit<LostMaterial, 'wrapping_version'>,
): Promise<void> {
  await query
    .deleteFrom('deleted_materials')
    .where((row) => row.and({ account_id, key_id, material_id }))
    .execute()
}

export async function forgetBuried(
  { query }: RowScope,
  { accountId, keyId }: Pick<KeyRef, 'accountId' | 'keyId'>,
): Promise<void> {
  await query
    .deleteFrom('deleted_materials')
    .where((row) => row.and({ account_id: accountId, key_id: keyId }))
    .execute()
}

export async function countDeletedMaterials({ query, rows }: RowScope): Promise<DeletedMaterials> {
  const lastSeals: number[] = []
  for (const row of await query.selectFrom('deleted_materials').selectAll().execute()) {
    const name = [row.account_id, row.key_id, row.material_id]
    const genuine = rows.genuine('deleted_materials', name, row)
    if (genuine !== undefined) lastSeals.push(genuine.seal_generation)
  }
  // Materials emptied before such tombstones existed, when there was only the first seal.
  const { unmarked } = await query
    .selectFrom('key_materials')
    .leftJoin('deleted_materials', (join) =>
      join
        .onRef('deleted_materials.account_id', '=', 'key_materials.account_id')
        .onRef('deleted_materials.key_id', '=', 'key_materials.key_id')
        .onRef('deleted_materials.material_id', '=', 'key_materials.material_id'),
    )
    .select(({ fn }) => fn.countAll<number>().as('unmarked'))
    .where('key_materials.wrapped', '=', Buffer.alloc(0))
    .where('deleted_materials.material_id', 'is', null)
    .executeTakeFirstOrThrow()
  lastSeals.push(...Array<number>(unmarked).fill(firstSeal))
  const { gone, shredded, bySeal } = await openedBySeals(query, lastSeals)
  const opened = [...bySeal].map(([generation, materials]) => ({ generation, materials }))
  return { gone, shredded, openedBySeals: opened }
}
