/** Indexes of multi-Region keys by id, and of keys in a transitional state. @module */
import { sql, type Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function multiRegionKeys(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { number } = columnTypes(engine)
  await query.schema.alterTable('keys').addColumn('transition_started_at', number).execute()
  await query.schema
    .createIndex('keys_in_transition')
    .on('keys')
    .columns(['transition_started_at', 'account_id', 'region', 'key_id'])
    .where(sql.ref('transition_started_at'), 'is not', null)
    .execute()
  await query.schema
    .createIndex('keys_related')
    .on('keys')
    .columns(['account_id', 'key_id', 'region'])
    .where(sql.ref('primary_region'), 'is not', null)
    .execute()
}
