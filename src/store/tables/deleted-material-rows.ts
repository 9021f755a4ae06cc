/**
 * Tombstones of imported materials that were deleted from existing keys. A tombstone goes when the
 * material is imported again, or when its key is deleted and gets a tombstone itself.
 * @module
 */
import type { KeyRef, MaterialRecord } from '../../model/key.ts'
import type { RowScope } from '../row-scope.ts'
import { deletedMaterials } from '../schema/materials.ts'
import { firstSeal, latestSeal, openedBySeals } from './opening-seals.ts'
import { saveRecord, tableReads } from './table-rows.ts'

/** Counts of imported materials that were deleted from existing keys and not imported again. */
export interface DeletedMaterials {
  readonly gone: number
  readonly shredded: number
  readonly openedBySeals: readonly { readonly generation: number; readonly materials: number }[]
}

/** @param lost had its bytes and now has none */
export async function buryMaterial(
  scope: RowScope,
  lost: Pick<MaterialRecord, 'accountId' | 'keyId' | 'materialId' | 'wrappingVersion'>,
): Promise<void> {
  const sealGeneration = await latestSeal(scope.query)
  await saveRecord(deletedMaterials, scope, { ...lost, sealGeneration })
}

/** Removes the tombstone of a material that is imported again, whatever old copies contain. */
export async function unburyMaterial(
  { query }: RowScope,
  { accountId, keyId, materialId }: Pick<MaterialRecord, 'accountId' | 'keyId' | 'materialId'>,
): Promise<void> {
  await query
    .deleteFrom('deleted_materials')
    .where((row) => row.and({ account_id: accountId, key_id: keyId, material_id: materialId }))
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

export async function countDeletedMaterials(scope: RowScope): Promise<DeletedMaterials> {
  const { query } = scope
  const found = await query.selectFrom('deleted_materials').selectAll().execute()
  const lastSeals = tableReads(deletedMaterials, scope)
    .acceptAll(found)
    .map(({ sealGeneration }) => sealGeneration)
  // A material without bytes and without a tombstone: someone deleted the tombstone.
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
  const all = [...lastSeals, ...Array<number>(unmarked).fill(firstSeal)]
  const { gone, shredded, bySeal } = await openedBySeals(query, all)
  const opened = [...bySeal].map(([generation, materials]) => ({ generation, materials }))
  return { gone, shredded, openedBySeals: opened }
}
