/**
 * Reads and writes all rows of a table as they are stored: for backups and moves, which read no records.
 * Every engine stores the same values, so rows of one engine fit into another.
 * @module
 */
import { type Kysely, sql } from 'kysely'
import type { Engine } from './database.ts'
import type { Schema } from './schema/schema.ts'
import type { Table } from './schema/table.ts'

export type StoredValue = string | number | bigint | Uint8Array | null
export type StoredRow = Readonly<Record<string, StoredValue>>

/** Rows in one statement: a row of the event index may have tens of kilobytes. */
const pageMax = 100

export async function countTable(query: Kysely<Schema>, table: Table): Promise<number> {
  const { rows } = await sql<{ readonly count: number }>`
    SELECT count(*) AS count FROM ${sql.table(table.name)}`.execute(query)
  return rows[0]?.count ?? 0
}

/**
 * Yields every row in the order of the primary key, in pages. All engines return them in the same order,
 * because text is ordered by its bytes.
 */
export async function* readTable(
  query: Kysely<Schema>,
  { name, columns, primaryKey }: Table,
): AsyncGenerator<readonly StoredRow[]> {
  const listed = sql.join(Object.keys(columns).map((column) => sql.ref(column)))
  const key = sql.join(primaryKey.map((column) => sql.ref(column)))
  let after = sql``
  for (;;) {
    const { rows } = await sql<StoredRow>`
      SELECT ${listed} FROM ${sql.table(name)} ${after}
      ORDER BY ${key} LIMIT ${sql.lit(pageMax)}`.execute(query)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageMax) return
    const reached = sql.join(primaryKey.map((column) => sql`${last[column]}`))
    after = sql`WHERE (${key}) > (${reached})`
  }
}

/** Parameters of one statement: far fewer than either engine allows. */
const parametersMax = 900

export async function insertRows(
  query: Kysely<Schema>,
  { name, columns }: Table,
  rows: readonly StoredRow[],
): Promise<void> {
  const names = Object.keys(columns)
  const listed = sql.join(names.map((column) => sql.ref(column)))
  const rowsMax = Math.max(1, Math.floor(parametersMax / names.length))
  for (let start = 0; start < rows.length; start += rowsMax) {
    const values = rows
      .slice(start, start + rowsMax)
      .map((row) => sql`(${sql.join(names.map((column) => sql`${row[column] ?? null}`))})`)
    await sql`INSERT INTO ${sql.table(name)} (${listed}) VALUES ${sql.join(values)}`.execute(query)
  }
}

/** Whether the table has no rows. */
export async function isEmptyTable(query: Kysely<Schema>, { name }: Table): Promise<boolean> {
  const { rows } = await sql`SELECT 1 FROM ${sql.table(name)} LIMIT 1`.execute(query)
  return rows.length === 0
}

/**
 * Lets counters go on after the rows that were inserted. SQLite does so by itself. Numbers of rows that were
 * deleted after the last one may come again: a backup does not hold them.
 */
export async function continueCounters(
  query: Kysely<Schema>,
  engine: Engine,
  table: Table,
): Promise<void> {
  if (engine !== 'postgresql') return
  for (const column of countersOf(table)) {
    const { rows } = await sql<{ readonly reached: number | null }>`
      SELECT max(${sql.ref(column)}) AS reached FROM ${sql.table(table.name)}`.execute(query)
    await setCounter(query, table, column, rows[0]?.reached ?? 0)
  }
}

export function countersOf({ columns }: Table): readonly string[] {
  return Object.entries(columns).flatMap(([column, { kind }]) =>
    kind === 'counter' ? [column] : [],
  )
}

/** Lets a counter of PostgreSQL go on after the number that it has reached; 0 for none. */
export async function setCounter(
  query: Kysely<Schema>,
  { name }: Table,
  column: string,
  reached: number,
): Promise<void> {
  if (reached === 0) return
  await sql`SELECT setval(pg_get_serial_sequence(${name}, ${column}), ${reached})`.execute(query)
}
