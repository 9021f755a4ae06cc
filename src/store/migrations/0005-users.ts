/** Users, the owners of access keys, and managed policies. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function users(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('users')
    .addColumn('user_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('folded_name', text, (column) => column.notNull())
    .addColumn('path', text, (column) => column.notNull())
    .addColumn('inline_policies', text, (column) => column.notNull())
    .addColumn('attached_policies', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addUniqueConstraint('users_folded_name', ['account_id', 'folded_name'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('users_by_account_id_name')
    .on('users')
    .columns(['account_id', 'name'])
    .execute()
  await query.schema
    .createTable('managed_policies')
    .addColumn('policy_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('folded_name', text, (column) => column.notNull())
    .addColumn('path', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('versions', text, (column) => column.notNull())
    .addColumn('default_version_id', text, (column) => column.notNull())
    .addColumn('next_version', number, (column) => column.notNull())
    .addColumn('attachments', number, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('updated_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addUniqueConstraint('managed_policies_folded_name', ['account_id', 'folded_name'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('managed_policies_by_account_id_name')
    .on('managed_policies')
    .columns(['account_id', 'name'])
    .execute()
  await query.schema
    .createIndex('access_keys_by_principal_id_access_key_id')
    .on('access_keys')
    .columns(['principal_id', 'access_key_id'])
    .execute()
}
