/**
 * Creates what descriptors describe, in the SQL of each engine. No other file knows an engine's
 * types.
 * @module
 */
import {
  type ColumnDataType,
  type CreateTableBuilder,
  type Expression,
  type Kysely,
  type RawBuilder,
  sql,
} from 'kysely'
import type { Engine } from '../database.ts'
import type { Column, ColumnKind, FormerColumn } from './columns.ts'
import type { Schema } from './schema.ts'
import type { Index, Table } from './table.ts'

interface Dialect {
  readonly types: Readonly<
    Record<Exclude<ColumnKind, 'counter'>, ColumnDataType | Expression<unknown>>
  >
  readonly counter: ColumnDataType
  /** The end of a table's definition. */
  readonly end: RawBuilder<unknown>
  /** The same for a table stored in the order of its primary key. */
  readonly clustered: RawBuilder<unknown>
}

const byteOrderedText = sql`text collate "C"`

const dialects: Readonly<Record<Engine, Dialect>> = {
  // A strict table refuses a value of another type; SQLite's default collation is byte order.
  sqlite: {
    types: { text: 'text', number: 'integer', flag: 'integer', json: 'text', bytes: 'blob' },
    counter: 'integer',
    end: sql`strict`,
    clustered: sql`strict, without rowid`,
  },
  // Other collations than "C" would order lists by the server's locale. JSON stays the text that a
  // row's tag covers. The driver must read int8 as a number: no column exceeds 2^53 − 1.
  postgresql: {
    types: {
      text: byteOrderedText,
      number: 'bigint',
      flag: 'bigint',
      json: byteOrderedText,
      bytes: 'bytea',
    },
    counter: 'bigserial',
    end: sql``,
    clustered: sql``,
  },
}

/**
 * Adds what a version of the schema adds: tables, columns and indexes. Version 1 adds everything
 * that names no version. Then it removes the columns that the version removes.
 */
export async function addVersion(
  query: Kysely<Schema>,
  engine: Engine,
  tables: readonly Table[],
  version: number,
): Promise<void> {
  for (const table of tables) {
    const first = table.since ?? 1
    if (first === version) await createTable(query, engine, table)
    else if (first < version) await addColumns(query, engine, table, version)
    for (const index of table.indexes ?? []) {
      if ((index.since ?? first) === version) await createIndex(query, table, index)
    }
    await removeColumns(query, table, version)
  }
}

export async function createTable(
  query: Kysely<Schema>,
  engine: Engine,
  table: Table,
  { ifNotExists = false } = {},
): Promise<void> {
  const { name, columns, primaryKey, references = [], clustered } = table
  const dialect = dialects[engine]
  const named = query.schema.createTable(name)
  let create: CreateTableBuilder<string, string> = ifNotExists ? named.ifNotExists() : named
  const ofFirst = Object.entries(columns).filter(([, { since }]) => since === undefined)
  for (const [column, { kind, since }] of Object.entries(table.former ?? {})) {
    if (since === undefined) create = create.addColumn(column, dialect.types[kind])
  }
  for (const [column, { kind, optional }] of ofFirst) {
    if (kind === 'counter') {
      create = create.addColumn(column, dialect.counter, (counter) =>
        // SQLite never gives a number twice only if it is asked to.
        engine === 'sqlite' ? counter.primaryKey().autoIncrement() : counter.primaryKey(),
      )
    } else {
      create = create.addColumn(column, dialect.types[kind], (made) =>
        optional ? made : made.notNull(),
      )
    }
  }
  if (!primaryKey.some((column) => columns[column]?.kind === 'counter')) {
    create = create.addPrimaryKeyConstraint(`${name}_primary`, [...primaryKey])
  }
  for (const { columns: from, to, whenDeleted, whenMoved } of references) {
    create = create.addForeignKeyConstraint(
      `${name}_to_${to.name}`,
      [...from],
      to.name,
      [...to.primaryKey],
      (made) => {
        const deleting = whenDeleted === undefined ? made : made.onDelete('cascade')
        return whenMoved === undefined ? deleting : deleting.onUpdate('cascade')
      },
    )
  }
  await create.modifyEnd(clustered ? dialect.clustered : dialect.end).execute()
}

/** One statement a column, because SQLite adds only one at a time. */
async function addColumns(
  query: Kysely<Schema>,
  engine: Engine,
  { name, columns, former = {} }: Table,
  version: number,
): Promise<void> {
  const all: Readonly<Record<string, Column | FormerColumn>> = { ...former, ...columns }
  for (const [column, { kind, since }] of Object.entries(all)) {
    if (since !== version || kind === 'counter') continue
    await query.schema.alterTable(name).addColumn(column, dialects[engine].types[kind]).execute()
  }
}

async function removeColumns(
  query: Kysely<Schema>,
  { name, former = {} }: Table,
  version: number,
): Promise<void> {
  for (const [column, { unnamed, removed }] of Object.entries(former)) {
    if (unnamed === version) {
      const { rows } = await sql`
        SELECT 1 FROM ${sql.table(name)} WHERE ${sql.ref(column)} IS NOT NULL LIMIT 1`.execute(
        query,
      )
      // The tags of these rows cover the value, and nothing would clear it any more.
      if (rows.length > 0) throw new Error(`rows of ${name} still have a value in ${column}`)
    }
    if (removed === version) await query.schema.alterTable(name).dropColumn(column).execute()
  }
}

/** @throws {TypeError} if two steps of a former column are in one version, or in the wrong order */
export function requireSuccessiveSteps(tables: readonly Table[]): void {
  for (const { name, since: first = 1, former = {} } of tables) {
    for (const [column, { since = first, unused, unnamed, removed }] of Object.entries(former)) {
      const steps = [since, unused, unnamed, removed]
      const named = steps.filter((step) => step !== undefined)
      const isSuccessive = named.every(
        (step, index) => index === 0 || step > (named[index - 1] ?? 0),
      )
      if (isSuccessive && steps.findLastIndex((step) => step !== undefined) === named.length - 1)
        continue
      throw new TypeError(`the column ${column} of ${name} must leave in one step a version`)
    }
  }
}

async function createIndex(
  query: Kysely<Schema>,
  { name: table }: Table,
  index: Index,
): Promise<void> {
  const { name, columns, unique, having } = index
  const create = query.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
  const made = unique ? create.unique() : create
  await (having === undefined ? made : made.where(sql.ref(having), 'is not', null)).execute()
}
