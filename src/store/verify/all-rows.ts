/** Reads whole tables in the order of their primary keys, in every engine. @module */
import { type Kysely, sql } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import type { Table } from '../schema/table.ts'
import type { SqliteRow } from '../sqlite/sqlite-protocol.ts'

/** Bounds the rows in memory. */
const pageMax = 200

/**
 * Yields the rows of a table in pages. All engines return them in the same order, because text is
 * ordered by its bytes.
 */
export async function* pagesOf(
  query: Kysely<Schema>,
  { name, primaryKey }: Table,
): AsyncGenerator<readonly SqliteRow[]> {
  const key = sql.join(primaryKey.map((column) => sql.ref(column)))
  let after = sql``
  for (;;) {
    const { rows } = await sql<SqliteRow>`
      SELECT * FROM ${sql.table(name)} ${after} ORDER BY ${key} LIMIT ${sql.lit(pageMax)}`.execute(
      query,
    )
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    if (rows.length < pageMax) return
    after = sql`WHERE (${key}) > (${sql.join(primaryKey.map((column) => last[column]))})`
  }
}

export async function* allRows(query: Kysely<Schema>, table: Table): AsyncGenerator<SqliteRow> {
  for await (const page of pagesOf(query, table)) yield* page
}
