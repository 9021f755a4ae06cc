/** The last use of each key, and the time since when uses are recorded. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function keyUsage(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, end } = columnTypes(engine)
  await query.schema
    .createTable('key_usage')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('operation', text, (column) => column.notNull())
    .addColumn('used_at', number, (column) => column.notNull())
    .addColumn('event_id', text, (column) => column.notNull())
    .addColumn('request_id', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('key_usage_primary', ['account_id', 'region', 'key_id'])
    // Is deleted with its key.
    .addForeignKeyConstraint(
      'key_usage_key',
      ['account_id', 'region', 'key_id'],
      'keys',
      ['account_id', 'region', 'key_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('key_usage_tracking')
    .addColumn('id', number, (column) => column.primaryKey())
    .addColumn('since', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
