/**
 * The versions of the schema, in order.
 *
 * What a version adds is in the descriptors of the tables: everything that says `since` that
 * version. A migration first adds it, and then does what only code can do. A released migration
 * never changes; a later one amends it.
 *
 * Migrations expand before they contract, so that nodes of two successive versions can use a database
 * together. A column gets values one version after the one that adds it: a row's tag covers all its
 * values, and a node that does not know a column would leave its value out of the tag. A column leaves
 * in steps of a version each (`FormerColumn`).
 * @module
 */
import type { Kysely } from 'kysely'
import { type Engine, DatabaseTooNew } from './database.ts'
import { addVersion, createTable, requireSuccessiveSteps } from './schema/create-schema.ts'
import { schemaMigrations } from './schema/deployment.ts'
import { everyTable, type Schema } from './schema/schema.ts'
import type { Table } from './schema/table.ts'

export interface Migration {
  readonly name: string
  /** Runs when the tables, columns and indexes of the version exist. */
  readonly fill?: (query: Kysely<Schema>) => Promise<void>
}

/** A migration's position in the list, counted from 1, is the version that it leads to. */
export const migrations: readonly Migration[] = [
  {
    name: 'first-schema',
    async fill(query) {
      await query
        .insertInto('change_head')
        .values({ id: 1, seq: 0, change_id: '0'.repeat(16) })
        .execute()
    },
  },
]

/** What a database is brought to. Tests of the migrations themselves pass their own. */
export interface MigrationTarget {
  readonly tables?: readonly Table[]
  readonly steps?: readonly Migration[]
}

/**
 * Brings the database to the last version, in one transaction a migration.
 * @throws {DatabaseTooNew} without any change if a later version of Trent wrote the database
 */
export async function migrate(
  query: Kysely<Schema>,
  engine: Engine,
  { tables = everyTable, steps = migrations }: MigrationTarget = {},
): Promise<void> {
  requireSuccessiveSteps(tables)
  await createTable(query, engine, schemaMigrations, { ifNotExists: true })
  const applied = await appliedVersion(query, steps)
  for (const [index, { name, fill }] of steps.entries()) {
    const version = index + 1
    if (version <= applied) continue
    await query.transaction().execute(async (transaction) => {
      // This comes first: if two processes migrate at once, one of them fails here and changes
      // nothing.
      await transaction.insertInto('schema_migrations').values({ version, name }).execute()
      await addVersion(transaction, engine, tables, version)
      await fill?.(transaction)
    })
  }
}

/**
 * Returns the version of the database. Its table of versions must exist.
 * @throws {DatabaseTooNew} if `steps` do not lead to that version
 */
export async function appliedVersion(
  query: Kysely<Schema>,
  steps: readonly Migration[] = migrations,
): Promise<number> {
  const last = await query
    .selectFrom('schema_migrations')
    .select('version')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const applied = last?.version ?? 0
  if (applied <= steps.length) return applied
  throw new DatabaseTooNew(
    `the database was written by a later version of Trent: ` +
      `its schema is version ${applied}, and this one knows version ${steps.length}`,
  )
}
