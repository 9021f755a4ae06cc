/**
 * Key materials in the store. Their rows have no tag: the AEAD that wraps a material has every other
 * column in its additional data, and whoever unwraps it finds a forged row by that.
 * @module
 */
import type { MaterialRecord } from '../model/key.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import type { KeyMaterialsTable } from './schema.ts'
import type { StoreReads, Transaction } from './store.ts'

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

export function materialWrites({ query, touch }: WriteScope): Pick<Transaction, 'insertMaterial'> {
  return {
    async insertMaterial(material) {
      const { accountId, region, keyId, materialId } = material
      // Two at once would take the same number, and the second fail: a change of a key's materials
      // changes the key's own row too, and so waits for its turn.
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
      touch({ kind: 'material', accountId, region, id: materialId })
    },
  }
}

/** The words may be a forger's: they are checked by the AEAD before anything is done by them. */
function materialOf(row: KeyMaterialsTable): MaterialRecord {
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
