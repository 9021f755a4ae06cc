/**
 * Row tags for the last uses of keys, which now decide something: null in existing rows.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function keyUsageTags(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { bytes } = columnTypes(engine)
  await query.schema.alterTable('key_usage').addColumn('row_tag', bytes).execute()
}
