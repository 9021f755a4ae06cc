/** Counts of requests by period, and changes in keys' lives. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function usage(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, clustered } = columnTypes(engine)
  await query.schema
    .createTable('request_counts')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('period', text, (column) => column.notNull())
    .addColumn('start', number, (column) => column.notNull())
    .addColumn('key_arns', text, (column) => column.notNull())
    .addColumn('operation', text, (column) => column.notNull())
    .addColumn('own', number, (column) => column.notNull())
    .addColumn('succeeded', number, (column) => column.notNull())
    .addColumn('failed', number, (column) => column.notNull())
    .addPrimaryKeyConstraint('request_counts_primary', [
      'account_id',
      'region',
      'period',
      'start',
      'key_arns',
      'operation',
      'own',
    ])
    .modifyEnd(clustered)
    .execute()
  await query.schema
    .createIndex('request_counts_by_period_start')
    .on('request_counts')
    .columns(['period', 'start'])
    .execute()
  await query.schema
    .createTable('key_turns')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_arn', text, (column) => column.notNull())
    .addColumn('at', number, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('spec', text)
    .addColumn('manager', text)
    .addPrimaryKeyConstraint('key_turns_primary', ['account_id', 'key_arn', 'at', 'state'])
    .modifyEnd(clustered)
    .execute()
}
