/**
 * Compares the schema of a PostgreSQL database with the descriptors of its tables. Row tags protect
 * the content of rows, but not against the schema: a trigger or a rule can undo a change, a view or
 * a collation can return another row, a default or a generated column can add a value, and a policy
 * can hide rows.
 * @see https://www.postgresql.org/docs/current/catalogs.html
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { SchemaChanged } from '../database.ts'
import { appliedVersion } from '../migrations.ts'
import type { Column } from '../schema/columns.ts'
import { schemaMigrations } from '../schema/deployment.ts'
import { everyTable, type Schema } from '../schema/schema.ts'
import type { Table } from '../schema/table.ts'
import { catalogQueries } from './catalog-queries.ts'

/** One object of a schema, `kind table.name`, and how it is defined. */
type Objects = ReadonlyMap<string, string>

/** An attacker may choose names in a changed schema. */
const shownMax = 120

/**
 * Checks the schema without changing anything. An empty one passes.
 * @throws {SchemaChanged} with the first difference
 * @throws {DatabaseTooNew} if a later version of Trent wrote the database
 */
export async function requirePostgresSchema(query: Kysely<Schema>): Promise<void> {
  const found = await readObjects(query)
  const ofSessions = sessionObjects()
  const isNew = [...found.keys()].every((name) => ofSessions.has(name))
  const first = isNew ? ofSessions : await expectedObjects(query, found)
  const difference = differenceOf(found, first, isNew)
  if (difference === undefined) return
  throw new SchemaChanged(
    `the schema \`public\` of the database was changed: ${difference}; Trent needs a database of its ` +
      'own, and nothing else in it',
  )
}

async function expectedObjects(query: Kysely<Schema>, found: Objects): Promise<Objects> {
  const versions = objectsOf(schemaMigrations, 1)
  // A view with this name could give a false version.
  const difference = differenceOf(found, versions, false, (name) => versions.has(name))
  if (difference !== undefined) return versions
  const version = await appliedVersion(query)
  return new Map([
    ...versions,
    ...sessionObjects(),
    ...everyTable.flatMap((table) => [...objectsOf(table, version)]),
  ])
}

function differenceOf(
  found: Objects,
  expected: Objects,
  mayLack: boolean,
  isCompared: (name: string) => boolean = () => true,
): string | undefined {
  for (const [name, definition] of found) {
    if (!isCompared(name)) continue
    const wanted = expected.get(name)
    if (wanted === undefined) return `the ${shown(name)} is not part of it`
    if (wanted !== definition) return `the ${shown(name)} is defined differently`
  }
  const missing = mayLack ? undefined : [...expected.keys()].find((name) => !found.has(name))
  return missing === undefined ? undefined : `the ${shown(missing)} is missing`
}

/** Makes the name one line of printable ASCII. */
function shown(name: string): string {
  const printable = name.replaceAll(/[^ -~]/g, '?')
  return printable.length > shownMax ? `${printable.slice(0, shownMax)}...` : printable
}

async function readObjects(query: Kysely<Schema>): Promise<Objects> {
  const found = new Map<string, string>()
  for (const statement of catalogQueries) {
    const { rows } = await sql
      .raw<{ readonly name: string; readonly definition: string }>(statement)
      .execute(query)
    for (const { name, definition } of rows) found.set(name, definition)
  }
  return found
}

const plainTable = 'permanent'
const types = {
  text: 'text collate C',
  json: 'text collate C',
  number: 'bigint',
  flag: 'bigint',
  counter: 'bigint',
  bytes: 'bytea',
} as const

/** The objects of one table in a version of the schema; none if the table is younger. */
function objectsOf(table: Table, version: number): Objects {
  const first = table.since ?? 1
  if (first > version) return new Map()
  const { name, primaryKey, references = [], indexes = [], former = {} } = table
  const objects = new Map([[`table ${name}`, plainTable]])
  for (const [column, of] of Object.entries(table.columns)) {
    if ((of.since ?? first) > version) continue
    objects.set(`column ${name}.${column}`, columnOf(name, column, of))
    if (of.kind === 'counter') objects.set(`sequence ${name}_${column}_seq`, plainTable)
  }
  for (const [column, { kind, since = first, removed = version + 1 }] of Object.entries(former)) {
    if (since > version || removed <= version) continue
    objects.set(`column ${name}.${column}`, types[kind])
  }
  const counts = primaryKey.some((column) => table.columns[column]?.kind === 'counter')
  const primary = `${name}_${counts ? 'pkey' : 'primary'}`
  objects.set(`constraint ${name}.${primary}`, `p (${primaryKey.join(',')})`)
  objects.set(`index ${name}.${primary}`, `unique (${primaryKey.join(',')})`)
  for (const { columns, to, whenDeleted, whenMoved } of references) {
    const target = `${to.name} (${to.primaryKey.join(',')})`
    const actions = `${whenMoved === undefined ? 'a' : 'c'}${whenDeleted === undefined ? 'a' : 'c'}`
    objects.set(
      `constraint ${name}.${name}_to_${to.name}`,
      `f (${columns.join(',')}) ${target} ${actions}`,
    )
  }
  for (const { name: index, columns, unique, having, since } of indexes) {
    if ((since ?? first) > version) continue
    const where = having === undefined ? '' : ` where (${having} IS NOT NULL)`
    const definition = `${unique ? 'unique ' : ''}(${columns.join(',')})${where}`
    objects.set(`index ${name}.${index}`, definition)
  }
  return objects
}

function columnOf(table: string, name: string, { kind, optional }: Column): string {
  const given = kind === 'counter' ? ` default nextval('${table}_${name}_seq'::regclass)` : ''
  return `${types[kind]}${optional ? '' : ' not null'}${given}`
}

/** The table of `settle.ts`. */
function sessionObjects(): Objects {
  const name = 'database_sessions'
  return new Map([
    [`table ${name}`, plainTable],
    [`column ${name}.session_id`, 'text collate C not null'],
    [`column ${name}.change_id`, 'text collate C not null'],
    [`column ${name}.begun_at`, 'timestamp with time zone not null default now()'],
    [`constraint ${name}.${name}_pkey`, 'p (session_id)'],
    [`index ${name}.${name}_pkey`, 'unique (session_id)'],
  ])
}
