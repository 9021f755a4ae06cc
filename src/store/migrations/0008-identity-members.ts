/**
 * Permissions boundaries of users, tags of managed policies, aliases of accounts, last uses of
 * access keys.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function identityMembers(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, end } = columnTypes(engine)
  await query.schema.alterTable('users').addColumn('permissions_boundary', text).execute()
  await query.schema.alterTable('managed_policies').addColumn('tags', text).execute()
  await query.schema.alterTable('accounts').addColumn('alias', text).execute()
  // No two accounts have the same alias; any number have none.
  await query.schema
    .createIndex('accounts_by_alias')
    .unique()
    .on('accounts')
    .column('alias')
    .execute()
  await query.schema
    .createTable('access_key_usage')
    .addColumn('access_key_id', text, (column) =>
      // Is deleted with its access key.
      column.primaryKey().notNull().references('access_keys.access_key_id').onDelete('cascade'),
    )
    .addColumn('service', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('used_at', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
