/**
 * The rows of key materials. They have no tag: the AEAD that wraps a material binds every other
 * column, so unwrapping detects a forged row.
 * @module
 */
import { sql } from 'kysely'
import type { MaterialRecord } from '../../model/key.ts'
import type { MaterialStateRef } from '../../model/key-material.ts'
import { defer } from '../deferred.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { keyMaterials, type OrderedMaterial } from '../schema/materials.ts'
import type { Row } from '../schema/schema.ts'
import { buryMaterial, unburyMaterial } from './deleted-material-rows.ts'
import { tableReads } from './table-rows.ts'

export interface MaterialReads {
  findMaterial(materialId: string): Promise<MaterialRecord | undefined>
  /** Every material of a key, oldest first. The replicas of a multi-Region key share them. */
  listMaterials(accountId: string, keyId: string): Promise<readonly MaterialRecord[]>
}

export interface MaterialWrites {
  insertMaterial(material: MaterialRecord): Promise<void>
  /**
   * Deletes the bytes of a material, unless another Region's key has it imported. The rest of the
   * row stays, so that ciphertexts can still be matched to their key.
   */
  emptyMaterial(material: MaterialStateRef): Promise<void>
  /** Gives a deleted material its bytes back. */
  refillMaterial(material: MaterialRecord): Promise<void>
  /**
   * Deletes a material under which nothing was encrypted, unless another Region's key has it
   * imported.
   */
  deleteMaterial(material: MaterialStateRef): Promise<void>
}

/** Stands for the bytes of a material that were deleted. */
const noBytes = Buffer.alloc(0)

export function materialReads(scope: RowScope): MaterialReads {
  const { find, acceptAll } = tableReads(keyMaterials, scope)
  return {
    async findMaterial(materialId) {
      const found = await find({ materialId })
      return found && withoutOrdinal(found)
    },
    async listMaterials(accountId, keyId) {
      const found = await scope.query
        .selectFrom('key_materials')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('key_id', '=', keyId)
        .orderBy('ordinal')
        .execute()
      return acceptAll(found).map(withoutOrdinal)
    },
  }
}

export function materialWrites(scope: WriteScope): MaterialWrites {
  const { query, touch, deletesMaterial } = scope
  const touchMaterial = ({ accountId, region, materialId }: MaterialStateRef): void =>
    touch({ kind: 'material', accountId, region, id: materialId })
  return {
    async insertMaterial(material) {
      // Two inserts at once would take the same ordinal, and the second would fail. Each change of
      // a key's materials also changes the key's own row, so they cannot run at once.
      const { ordinal: _, ...row } = keyMaterials.toRow({ ...material, ordinal: 0 })
      const ordinal = query
        .selectFrom('key_materials')
        .select(sql<number>`coalesce(max(ordinal), 0) + 1`.as('ordinal'))
        .where('account_id', '=', material.accountId)
        .where('key_id', '=', material.keyId)
      await defer(query, query.insertInto('key_materials').values({ ...row, ordinal }))
      if (material.origin === 'EXTERNAL') await unburyMaterial(scope, material)
      touchMaterial(material)
    },
    async emptyMaterial(material) {
      if (await isImportedElsewhere(scope, material)) return
      deletesMaterial()
      const emptied = await query
        .updateTable('key_materials')
        .set({ wrapped: noBytes })
        .where((row) => row.and(nameOf(material)))
        .where('wrapped', '<>', noBytes)
        .returningAll()
        .executeTakeFirst()
      if (emptied !== undefined) await buryMaterial(scope, keyMaterials.toRecord(emptied))
      touchMaterial(material)
    },
    async refillMaterial(material) {
      const { region, wrappingVersion, wrapped, createdAt } = material
      await query
        .updateTable('key_materials')
        .set({ region, wrapping_version: wrappingVersion, wrapped, created_at: createdAt })
        .where((row) => row.and(nameOf(material)))
        .execute()
      await unburyMaterial(scope, material)
      touchMaterial(material)
    },
    async deleteMaterial(material) {
      if (await isImportedElsewhere(scope, material)) return
      deletesMaterial()
      const deleted = await query
        .deleteFrom('key_materials')
        .where((row) => row.and(nameOf(material)))
        .returningAll()
        .executeTakeFirst()
      // A material without bytes already has its tombstone.
      if (deleted && deleted.wrapped.length > 0) {
        await buryMaterial(scope, keyMaterials.toRecord(deleted))
      }
      touchMaterial(material)
    },
  }
}

function nameOf({
  accountId,
  keyId,
  materialId,
}: Omit<MaterialStateRef, 'region'>): Pick<
  Row<'key_materials'>,
  'account_id' | 'key_id' | 'material_id'
> {
  return { account_id: accountId, key_id: keyId, material_id: materialId }
}

async function isImportedElsewhere(
  { query }: RowScope,
  material: MaterialStateRef,
): Promise<boolean> {
  const other = await query
    .selectFrom('material_states')
    .select('region')
    .where((row) => row.and(nameOf(material)))
    .where('region', '!=', material.region)
    .where('import_state', '=', 'IMPORTED')
    .limit(1)
    .executeTakeFirst()
  return other !== undefined
}

/** The members may be an attacker's: the AEAD checks them before they have any effect. */
function withoutOrdinal(ordered: OrderedMaterial): MaterialRecord {
  const { ordinal: _, ...material } = ordered
  return material
}
