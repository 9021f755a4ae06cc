/** The organizations of accounts, and their policies. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function organizations(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text } = columnTypes(engine)
  const columns = [
    'organization_id',
    'organization_unit',
    'service_control_policies',
    'resource_control_policies',
  ] as const
  for (const column of columns) {
    await query.schema.alterTable('accounts').addColumn(column, text).execute()
  }
}
