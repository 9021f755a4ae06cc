/** The table of services built on Trent. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function services(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('services')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('access_key_id', text, (column) => column.notNull().unique())
    .addColumn('hosts', text, (column) => column.notNull())
    .addColumn('wrapping_version', number, (column) => column.notNull())
    .addColumn('wrapped_secret', bytes, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('services_primary', ['name', 'region'])
    .modifyEnd(end)
    .execute()
}
