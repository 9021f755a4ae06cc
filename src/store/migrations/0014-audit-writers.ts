/** The writers of the audit journal, with their last checkpoints. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function auditWriters(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('audit_writers')
    .addColumn('stream', text, (column) => column.primaryKey().notNull())
    .addColumn('first_segment', number, (column) => column.notNull())
    .addColumn('first_hash', text)
    .addColumn('first_records', number, (column) => column.notNull())
    .addColumn('checkpoint', text)
    .addColumn('signature', bytes)
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
