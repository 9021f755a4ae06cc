/** The table of trails. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function trails(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('trails')
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('home_region', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('bucket', text, (column) => column.notNull())
    .addColumn('prefix', text)
    .addColumn('multi_region', number, (column) => column.notNull())
    .addColumn('global_events', number, (column) => column.notNull())
    .addColumn('validation', number, (column) => column.notNull())
    .addColumn('kms_key_id', text)
    .addColumn('topic_arn', text)
    .addColumn('selectors', text, (column) => column.notNull())
    .addColumn('logging', number, (column) => column.notNull())
    .addColumn('started_at', number)
    .addColumn('stopped_at', number)
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('trails_primary', ['account_id', 'home_region', 'name'])
    .modifyEnd(end)
    .execute()
}
