/** Row tags for the outbox, because its rows become part of the audit log. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

/** Existing rows have no tag, and a migration cannot compute one: they count as forged. */
export async function outboxTags(query: Kysely<Schema>, engine: Engine): Promise<void> {
  await query.schema
    .alterTable('audit_outbox')
    .addColumn('row_tag', columnTypes(engine).bytes)
    .execute()
}
