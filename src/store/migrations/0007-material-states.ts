/** The states of a key's materials, and the times at which a key is due for a job. @module */
import { sql, type Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function materialStates(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  // One statement a column, because SQLite adds only one at a time.
  const add = (name: string, type: typeof text): Promise<void> =>
    query.schema.alterTable('keys').addColumn(name, type).execute()
  await add('rotation_period_days', number)
  await add('next_rotation_at', number)
  await add('on_demand_rotation_started_at', number)
  await add('material_expiration_model', text)
  await add('material_expires_at', number)
  await query.schema
    .createTable('material_states')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('material_id', text, (column) => column.notNull())
    .addColumn('ordinal', number, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('import_state', text)
    .addColumn('expiration_model', text)
    .addColumn('valid_to', number)
    .addColumn('description', text)
    .addColumn('rotation_type', text)
    .addColumn('rotated_at', number)
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('material_states_primary', [
      'account_id',
      'region',
      'key_id',
      'material_id',
    ])
    .addUniqueConstraint('material_states_ordinal', ['account_id', 'region', 'key_id', 'ordinal'])
    // Are deleted with their key.
    .addForeignKeyConstraint(
      'material_states_key',
      ['account_id', 'region', 'key_id'],
      'keys',
      ['account_id', 'region', 'key_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .modifyEnd(end)
    .execute()
  await createDueIndexes(query)
}

/** Indexes of due keys, which most keys are never in. */
async function createDueIndexes(query: Kysely<Schema>): Promise<void> {
  const key = ['account_id', 'region', 'key_id']
  const index = (
    name: string,
    table: string,
    due: string,
    columns: readonly string[],
  ): Promise<void> =>
    query.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .where(sql.ref(due), 'is not', null)
      .execute()
  await index('keys_to_rotate', 'keys', 'next_rotation_at', ['state', 'next_rotation_at', ...key])
  const started = 'on_demand_rotation_started_at'
  await index('keys_rotating', 'keys', started, [started, ...key])
  await index('materials_expiring', 'material_states', 'valid_to', [
    'valid_to',
    ...key,
    'material_id',
  ])
}
