/** Tombstones of materials that were deleted from existing keys. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function deletedMaterials(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('deleted_materials')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('material_id', text, (column) => column.notNull())
    .addColumn('wrapping_version', number, (column) => column.notNull())
    .addColumn('seal_generation', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('deleted_materials_primary', ['account_id', 'key_id', 'material_id'])
    .modifyEnd(end)
    .execute()
}
