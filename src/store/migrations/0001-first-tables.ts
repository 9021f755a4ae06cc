/** The tables of the symmetric core. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function firstTables(query: Kysely<Schema>, engine: Engine): Promise<void> {
  await createDeployment(query, engine)
  await createAccounts(query, engine)
  await createKeys(query, engine)
  await createAliases(query, engine)
  await createChanges(query, engine)
}

async function createDeployment(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('deployment')
    .addColumn('id', number, (column) => column.primaryKey())
    .addColumn('deployment_id', text, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('seals')
    .addColumn('generation', number, (column) => column.primaryKey())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('sealed_root_key', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('domain_keys')
    .addColumn('version', number, (column) => column.primaryKey())
    .addColumn('wrapped', bytes, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}

async function createAccounts(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('accounts')
    .addColumn('account_id', text, (column) => column.primaryKey().notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('access_keys')
    .addColumn('access_key_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('principal_kind', text, (column) => column.notNull())
    .addColumn('principal_id', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('wrapping_version', number, (column) => column.notNull())
    .addColumn('wrapped_secret', bytes, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await createIndex(query, 'access_keys', ['account_id', 'access_key_id'])
}

async function createKeys(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('keys')
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('spec', text, (column) => column.notNull())
    .addColumn('usage', text, (column) => column.notNull())
    .addColumn('origin', text, (column) => column.notNull())
    .addColumn('manager', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('deletion_date', number)
    .addColumn('pending_window_days', number)
    .addColumn('primary_region', text)
    .addColumn('current_material_id', text)
    .addColumn('policy', text, (column) => column.notNull())
    .addColumn('policy_principals', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('keys_primary', ['account_id', 'region', 'key_id'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('key_materials')
    .addColumn('material_id', text, (column) => column.primaryKey().notNull())
    .addColumn('account_id', text, (column) => column.notNull().references('accounts.account_id'))
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('ordinal', number, (column) => column.notNull())
    .addColumn('spec', text, (column) => column.notNull())
    .addColumn('usage', text, (column) => column.notNull())
    .addColumn('origin', text, (column) => column.notNull())
    .addColumn('wrapping_version', number, (column) => column.notNull())
    .addColumn('wrapped', bytes, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addUniqueConstraint('key_materials_ordinal', ['account_id', 'key_id', 'ordinal'])
    .modifyEnd(end)
    .execute()
}

async function createAliases(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, bytes, end } = columnTypes(engine)
  await query.schema
    .createTable('aliases')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('target_key_id', text, (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('updated_at', number, (column) => column.notNull())
    .addColumn('row_version', number, (column) => column.notNull())
    .addColumn('row_tag', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('aliases_primary', ['account_id', 'region', 'name'])
    // Also locks the key's row, so that a key deleted at the same time leaves no alias behind.
    .addForeignKeyConstraint('aliases_target', ['account_id', 'region', 'target_key_id'], 'keys', [
      'account_id',
      'region',
      'key_id',
    ])
    .modifyEnd(end)
    .execute()
  await createIndex(query, 'aliases', ['account_id', 'region', 'target_key_id', 'name'])
}

async function createChanges(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, number, counter, end } = columnTypes(engine)
  await query.schema
    .createTable('change_head')
    .addColumn('id', number, (column) => column.primaryKey())
    .addColumn('seq', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  await query.insertInto('change_head').values({ id: 1, seq: 0 }).execute()
  await query.schema
    .createTable('change_log')
    .addColumn('seq', number, (column) => column.notNull())
    .addColumn('position', number, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('change_log_primary', ['seq', 'position'])
    .modifyEnd(end)
    .execute()
  await query.schema
    .createTable('audit_outbox')
    .addColumn('position', counter, (column) =>
      engine === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
    )
    .addColumn('event_id', text, (column) => column.notNull().unique())
    .addColumn('record', text, (column) => column.notNull())
    .addColumn('stream', text, (column) => column.notNull())
    .addColumn('segment', number, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
}

async function createIndex(
  query: Kysely<Schema>,
  table: string,
  columns: readonly string[],
): Promise<void> {
  await query.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns([...columns])
    .execute()
}
