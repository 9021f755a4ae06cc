/**
 * Compares the schema of a database with the one that Trent creates. Row tags protect
 * the content of rows, but not against the schema: a trigger can undo a change, a view or a
 * collation can return another row, a default or a generated column can add a value.
 * @module
 */
import { Kysely, sql } from 'kysely'
import { DatabaseTooOld, SchemaChanged } from '../database.ts'
import { appliedVersion, migrate, migrations } from '../migrations.ts'
import type { Schema } from '../schema/schema.ts'
import { sqliteDialect } from '../sqlite/sqlite-dialect.ts'
import { inlineClient } from '../sqlite/sqlite-inline.ts'
import { openInMemory } from '../sqlite/sqlite.ts'

/** A table, index, trigger or view, as SQLite stores it. */
export interface SchemaEntry {
  readonly type: string
  readonly name: string
  readonly tbl_name: string
  /** Null for the indexes that SQLite creates for constraints. */
  readonly sql: string | null
}

/** An attacker may choose names in a changed schema. */
const shownNameMax = 64

/** The table of versions of the databases that were written before there was the first schema. */
const formerVersions =
  'CREATE TABLE "schema_migrations" ("version" integer primary key, "name" text not null) strict'

const nextStep = 'restore trent.db from a backup that nobody else could write'

/**
 * Checks the schema without changing anything. An empty database passes.
 * @throws {SchemaChanged} with the first difference
 * @throws {DatabaseTooNew} if a later version of Trent wrote the database
 * @throws {DatabaseTooOld} if a version from before the first schema wrote it
 */
export async function requireExpectedSchema(query: Kysely<Schema>): Promise<void> {
  const found = await readSchema(query)
  if (found.length === 0) return
  // A view or a virtual table could impersonate the table with the schema's version.
  const code = found.find(({ type }) => type !== 'table' && type !== 'index')
  if (code !== undefined) throw changed(`${nameOf(code)} is not part of it`)
  const versions = found.find(({ name }) => name === 'schema_migrations')
  if (versions === undefined) throw changed('the table `schema_migrations` is missing')
  if (versions.sql === formerVersions) {
    throw new DatabaseTooOld(
      'trent.db was written by an unreleased version of Trent, and this version cannot read it: ' +
        'start with a new data directory',
    )
  }
  const [first] = await expectedSchema(0)
  if (versions.sql !== first?.sql) throw changed(`${nameOf(versions)} is defined differently`)
  const difference = differenceOf(found, await expectedSchema(await appliedVersion(query)))
  if (difference !== undefined) throw changed(difference)
  const { rows } = await sql<{ readonly encoding: string }>`PRAGMA encoding`.execute(query)
  if (rows[0]?.encoding !== 'UTF-8') throw changed('its text is not encoded as UTF-8')
}

/** Returns the schema of a version, ordered by type and name. */
export async function expectedSchema(version: number): Promise<readonly SchemaEntry[]> {
  const connection = openInMemory()
  try {
    const query = new Kysely<Schema>({ dialect: sqliteDialect(inlineClient(connection)) })
    await migrate(query, 'sqlite', { steps: migrations.slice(0, version) })
    return await readSchema(query)
  } finally {
    connection.close()
  }
}

async function readSchema(query: Kysely<Schema>): Promise<readonly SchemaEntry[]> {
  const { rows } = await sql<SchemaEntry>`
    SELECT coalesce(CAST(type AS text), '') AS type, coalesce(CAST(name AS text), '') AS name, tbl_name, sql
    FROM sqlite_schema ORDER BY type, name`.execute(query)
  return rows
}

function differenceOf(
  found: readonly SchemaEntry[],
  expected: readonly SchemaEntry[],
): string | undefined {
  const wanted = new Map(expected.map((entry) => [nameOf(entry), entry]))
  for (const entry of found) {
    const name = nameOf(entry)
    const { tbl_name: table, sql: definition } = wanted.get(name) ?? {}
    // Each name may occur once: a second entry is not part of the schema.
    if (!wanted.delete(name)) return `${name} is not part of it`
    if (entry.tbl_name !== table || entry.sql !== definition)
      return `${name} is defined differently`
  }
  const [missing] = wanted.keys()
  return missing === undefined ? undefined : `${missing} is missing`
}

/** Makes the name one line of printable ASCII. */
function nameOf({ type, name }: SchemaEntry): string {
  const shown = name.replaceAll(/[^ -~]/g, '?')
  const cut = shown.length > shownNameMax ? `${shown.slice(0, shownNameMax)}...` : shown
  return `the ${type} \`${cut}\``
}

function changed(difference: string): SchemaChanged {
  return new SchemaChanged(`the schema of trent.db was changed: ${difference}; ${nextStep}`)
}
