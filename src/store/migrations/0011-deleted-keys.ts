/** Tombstones of deleted keys, an index of keys due for deletion, and the clock mark. @module */
import { sql, type Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function deletedKeys(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('deleted_keys')
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('wrapping_versions', text, (column) => column.notNull())
    .addColumn('deleted_at', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('deleted_keys_primary', ['account_id', 'region', 'key_id'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('keys_to_delete')
    .on('keys')
    .columns(['state', 'deletion_date', 'account_id', 'region', 'key_id'])
    .where(sql.ref('deletion_date'), 'is not', null)
    .execute()
  await query.schema
    .createTable('clock_mark')
    .addColumn('id', number, (column) => column.primaryKey())
    .addColumn('reached', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
