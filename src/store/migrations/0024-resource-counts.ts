/** Counts of keys and aliases. The rows are counted when a count first changes. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function resourceCounts(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('resource_counts')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('count', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('resource_counts_primary', ['account_id', 'region', 'kind'])
    .modifyEnd(end)
    .execute()
}
