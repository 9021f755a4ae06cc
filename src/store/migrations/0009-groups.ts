/** Groups, and their users. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function groups(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema.alterTable('users').addColumn('groups', text).execute()
  await query.schema
    .createTable('groups')
    .addColumn('group_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('folded_name', text, (column) => column.notNull())
    .addColumn('path', text, (column) => column.notNull())
    .addColumn('inline_policies', text, (column) => column.notNull())
    .addColumn('attached_policies', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('permissions_boundary', text)
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addUniqueConstraint('groups_folded_name', ['account_id', 'folded_name'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('groups_by_account_id_name')
    .on('groups')
    .columns(['account_id', 'name'])
    .execute()
}
