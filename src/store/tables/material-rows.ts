/**
 * The rows of key materials. They have no tag: the AEAD that wraps a material binds every other
 * column, so unwrapping detects a forged row.
 * @module
 */
import type { MaterialRecord } from '../../model/key.ts'
import type { MaterialStateRef } from '../../model/key-material.ts'
import { buryMaterial, unburyMaterial } from './deleted-material-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { KeyMaterialsTable } from '../schema/schema.ts'
import type { StoreReads, Transaction } from '../store.ts'

/** Stands for the bytes of a material that were deleted. */
const noBytes = Buffer.alloc(0)

const buried = ['account_id', 'key_id', 'material_id', 'wrapping_version'] as const

type Reads = Pick<StoreReads, 'findMaterial' | 'listMaterials'>

export function materialReads({ query }: RowScope): Reads {
  return {
    async findMaterial(materialId) {
      const row = await query
        .selectFrom('key_materials')
        .selectAll()
        .where('material_id', '=', materialId)
        .executeTakeFirst()
      return row && materialOf(row)
    },
    async listMaterials(accountId, keyId) {
      const found = await query
        .selectFrom('key_materials')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('key_id', '=', keyId)
        .orderBy('ordinal')
        .execute()
      return found.map(materialOf)
    },
  }
}

type Writes = Pick<
  Transaction,
  'insertMaterial' | 'emptyMaterial' | 'refillMaterial' | 'deleteMaterial'
>

export function materialWrites(scope: WriteScope): Writes {
  const { query, touch, deletesMaterial } = scope
  const touchMaterial = ({ accountId, region, materialId }: MaterialStateRef): void =>
    touch({ kind: 'material', accountId, region, id: materialId })
  return {
    insertMaterial: (material) => insertMaterial(scope, material),
    async emptyMaterial(material) {
      if (await isImportedElsewhere(scope, material)) return
      deletesMaterial()
      const emptied = await query
        .updateTable('key_materials')
        .set({ wrapped: noBytes })
        .where((row) => row.and(nameOf(material)))
        .where('wrapped', '<>', noBytes)
        .returning(buried)
        .executeTakeFirst()
      if (emptied !== undefined) await buryMaterial(scope, emptied)
      touchMaterial(material)
    },
    async refillMaterial(material) {
      const { region, wrappingVersion, wrapped, createdAt } = material
      await query
        .updateTable('key_materials')
        .set({ region, wrapping_version: wrappingVersion, wrapped, created_at: createdAt })
        .where((row) => row.and(nameOf(material)))
        .execute()
      await unburyMaterial(scope, nameOf(material))
      touchMaterial(material)
    },
    async deleteMaterial(material) {
      if (await isImportedElsewhere(scope, material)) return
      deletesMaterial()
      const deleted = await query
        .deleteFrom('key_materials')
        .where((row) => row.and(nameOf(material)))
        .returning([...buried, 'wrapped'])
        .executeTakeFirst()
      // A material without bytes already has its tombstone.
      if (deleted && deleted.wrapped.length > 0) await buryMaterial(scope, deleted)
      touchMaterial(material)
    },
  }
}

async function insertMaterial(scope: WriteScope, material: MaterialRecord): Promise<void> {
  const { query, touch } = scope
  const { accountId, region, keyId, materialId } = material
  // Two inserts at once would take the same ordinal, and the second would fail. Each change of a
  // key's materials also changes the key's own row, so they cannot run at once.
  const last = await query
    .selectFrom('key_materials')
    .select('ordinal')
    .where('account_id', '=', accountId)
    .where('key_id', '=', keyId)
    .orderBy('ordinal', 'desc')
    .limit(1)
    .executeTakeFirst()
  await query
    .insertInto('key_materials')
    .values({
      material_id: materialId,
      account_id: accountId,
      region,
      key_id: keyId,
      ordinal: (last?.ordinal ?? 0) + 1,
      spec: material.spec,
      usage: material.usage,
      origin: material.origin,
      wrapping_version: material.wrappingVersion,
      wrapped: material.wrapped,
      created_at: material.createdAt,
    })
    .execute()
  if (material.origin === 'EXTERNAL') await unburyMaterial(scope, nameOf(material))
  touch({ kind: 'material', accountId, region, id: materialId })
}

type Name = Pick<KeyMaterialsTable, 'account_id' | 'key_id' | 'material_id'>

function nameOf({ accountId, keyId, materialId }: Omit<MaterialStateRef, 'region'>): Name {
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

/** The values may be an attacker's: the AEAD checks them before they have any effect. */
export function materialOf(row: KeyMaterialsTable): MaterialRecord {
  return {
    materialId: row.material_id,
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    spec: row.spec as MaterialRecord['spec'],
    usage: row.usage as MaterialRecord['usage'],
    origin: row.origin as MaterialRecord['origin'],
    wrappingVersion: row.wrapping_version,
    wrapped: row.wrapped,
    createdAt: row.created_at,
  }
}
