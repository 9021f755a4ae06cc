/** The tables of delivery: files, positions in the journal, digests and their keys. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function delivery(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('delivery_cursors')
    .addColumn('stream', text, (column) => column.primaryKey().notNull())
    .addColumn('segment', number, (column) => column.notNull())
    .addColumn('position', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('delivery_files')
    .addColumn('sequence', number, (column) => column.primaryKey().notNull())
    .addColumn('trail', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('made_at', number, (column) => column.notNull())
    .addColumn('delivered', number, (column) => column.notNull())
    .addColumn('notified', number, (column) => column.notNull())
    .addColumn('listed', number, (column) => column.notNull())
    .addColumn('stream', text)
    .addColumn('segment', number)
    .addColumn('file', text, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createIndex('delivery_files_pending')
    .on('delivery_files')
    .columns(['delivered', 'sequence'])
    .execute()
  await query.schema
    .createIndex('delivery_files_unlisted')
    .on('delivery_files')
    .columns(['listed', 'trail', 'region', 'sequence'])
    .execute()
  await query.schema
    .createTable('digest_chains')
    .addColumn('trail', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('ended_at', number, (column) => column.notNull())
    .addColumn('last', text)
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('digest_chains_primary', ['trail', 'region'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('digest_keys')
    .addColumn('fingerprint', text, (column) => column.primaryKey().notNull())
    .addColumn('public_key', bytes, (column) => column.notNull())
    .addColumn('wrapping_version', number, (column) => column.notNull())
    .addColumn('wrapped', bytes, (column) => column.notNull())
    .addColumn('valid_from', number, (column) => column.notNull())
    .addColumn('valid_until', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('trail_status')
    .addColumn('trail', text, (column) => column.primaryKey().notNull())
    .addColumn('status', text, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}
