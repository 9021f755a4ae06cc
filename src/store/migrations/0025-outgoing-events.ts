/** The table of events that wait for the webhook. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function outgoingEvents(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, counter, end } = columnTypes(engine)
  await query.schema
    .createTable('outgoing_events')
    .addColumn('position', counter, (column) =>
      engine === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
    )
    .addColumn('event_id', text, (column) => column.notNull().unique())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('guaranteed', number, (column) => column.notNull())
    .addColumn('made_at', number, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('outgoing_events_by_subject')
    .on('outgoing_events')
    .columns(['subject', 'position'])
    .execute()
  await query.schema
    .createIndex('outgoing_events_by_age')
    .on('outgoing_events')
    .column('made_at')
    .execute()
}
