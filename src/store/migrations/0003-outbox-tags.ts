/** Row tags for the outbox: what is in it becomes part of the audit log. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

/** Rows that are there have none, and nothing to make one with: they count as forged. */
export async function outboxTags(query: Kysely<Schema>, engine: Engine): Promise<void> {
  await query.schema
    .alterTable('audit_outbox')
    .addColumn('row_tag', columnTypes(engine).bytes)
    .execute()
}
