/** The table of grants. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function grants(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('grants')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('name', text)
    .addColumn('grantee', text, (column) => column.notNull())
    .addColumn('grantee_id', text)
    .addColumn('retiree', text)
    .addColumn('retiree_id', text)
    .addColumn('issuing_account_id', text, (column) => column.notNull())
    .addColumn('operations', text, (column) => column.notNull())
    .addColumn('constraints', text)
    .addColumn('request_digest', text)
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('grants_primary', ['account_id', 'region', 'key_id', 'grant_id'])
    // Are deleted with their key.
    .addForeignKeyConstraint(
      'grants_key',
      ['account_id', 'region', 'key_id'],
      'keys',
      ['account_id', 'region', 'key_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .modifyEnd(end)
    .execute()
  const index = (name: string, columns: readonly string[]): Promise<void> =>
    query.schema
      .createIndex(name)
      .on('grants')
      .columns([...columns])
      .execute()
  await index('grants_by_grantee', ['account_id', 'region', 'key_id', 'grantee', 'grant_id'])
  await index('grants_by_request', ['account_id', 'region', 'key_id', 'request_digest'])
  await index('grants_by_retiree', ['region', 'retiree', 'grant_id'])
}
