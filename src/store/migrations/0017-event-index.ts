/** The index of audit records that LookupEvents reads. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function eventIndex(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, counter, end, clustered } = columnTypes(engine)
  await query.schema
    .createTable('event_blocks')
    .addColumn('block', counter, (column) =>
      engine === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
    )
    .addColumn('day', number, (column) => column.notNull())
    .addColumn('content', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema.createIndex('event_blocks_by_day').on('event_blocks').column('day').execute()
  await query.schema
    .createTable('event_postings')
    .addColumn('day', number, (column) => column.notNull())
    .addColumn('token', bytes, (column) => column.notNull())
    .addColumn('last_time', number, (column) => column.notNull())
    .addColumn('block', number, (column) => column.notNull())
    .addColumn('first_time', number, (column) => column.notNull())
    .addPrimaryKeyConstraint('event_postings_primary', ['day', 'token', 'last_time', 'block'])
    .modifyEnd(clustered)
    .execute()
  await query.schema
    .createTable('event_index_positions')
    .addColumn('stream', text, (column) => column.primaryKey().notNull())
    .addColumn('segment', number, (column) => column.notNull())
    .addColumn('offset', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
