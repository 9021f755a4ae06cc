/** Roles, and how many identities have a managed policy as their permissions boundary. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function roles(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema.alterTable('managed_policies').addColumn('boundaries', number).execute()
  await query.schema
    .createTable('roles')
    .addColumn('role_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('folded_name', text, (column) => column.notNull())
    .addColumn('path', text, (column) => column.notNull())
    .addColumn('trust_policy', text, (column) => column.notNull())
    .addColumn('trust_principals', text, (column) => column.notNull())
    .addColumn('inline_policies', text, (column) => column.notNull())
    .addColumn('attached_policies', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('max_session_seconds', number, (column) => column.notNull())
    .addColumn('permissions_boundary', text)
    .addColumn('sessions_revoked_at', number)
    .addColumn('service_linked', text)
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addUniqueConstraint('roles_folded_name', ['account_id', 'folded_name'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('roles_by_account_id_name')
    .on('roles')
    .columns(['account_id', 'name'])
    .execute()
  await query.schema
    .createTable('role_usage')
    .addColumn('role_id', text, (column) =>
      // Is deleted with its role.
      column.primaryKey().notNull().references('roles.role_id').onDelete('cascade'),
    )
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('used_at', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
