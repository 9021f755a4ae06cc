/** The date at which imported material expired, which lists still show. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function expiredMaterials(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { number } = columnTypes(engine)
  await query.schema.alterTable('material_states').addColumn('expired_at', number).execute()
}
