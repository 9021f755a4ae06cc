/** The log of changes says which version each change left a row at, and is bound. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

/** The log begins anew: a migration has no key to tag its rows with. Nobody needs them behind a start. */
export async function changeLogVersions(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema.dropTable('change_log').execute()
  await query.schema
    .createTable('change_log')
    .addColumn('seq', number, (column) => column.notNull())
    .addColumn('position', number, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('row_version', number)
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('change_log_primary', ['seq', 'position'])
    .modifyEnd(end)
    .execute()
}
