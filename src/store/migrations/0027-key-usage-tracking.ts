/**
 * Gives every key a row for its last use, which is deleted with the key, and gives the start of
 * tracking a row tag, null in an existing row.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

const key = ['account_id', 'region', 'key_id'] as const
const columns = [...key, 'operation', 'used_at', 'event_id', 'request_id', 'row_tag'] as const

export async function keyUsageTracking(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema.alterTable('key_usage_tracking').addColumn('row_tag', bytes).execute()
  // A new table, because SQLite cannot change a constraint.
  await query.schema
    .createTable('key_usage_new')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('operation', text, (column) => column.notNull())
    .addColumn('used_at', number, (column) => column.notNull())
    .addColumn('event_id', text, (column) => column.notNull())
    .addColumn('request_id', text, (column) => column.notNull())
    .addColumn('row_tag', bytes)
    .addPrimaryKeyConstraint('key_usage_place', [...key])
    .addForeignKeyConstraint('key_usage_of_key', [...key], 'keys', [...key], (constraint) =>
      constraint.onDelete('cascade').onUpdate('cascade'),
    )
    .modifyEnd(end)
    .execute()
  await query
    .withTables<{ key_usage_new: Schema['key_usage'] }>()
    .insertInto('key_usage_new')
    .columns(columns)
    .expression((from) => from.selectFrom('key_usage').select(columns))
    .execute()
  await query.schema.dropTable('key_usage').execute()
  await query.schema.alterTable('key_usage_new').renameTo('key_usage').execute()
}
