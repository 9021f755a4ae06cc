/** The table of OpenID Connect providers. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function oidcProviders(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('oidc_providers')
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('url', text, (column) => column.notNull())
    .addColumn('client_ids', text, (column) => column.notNull())
    .addColumn('thumbprints', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('oidc_providers_key', ['account_id', 'name'])
    .modifyEnd(end)
    .execute()
}
