/** Reads whole tables in the order of their primary keys, row by row. @module */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import type { Table } from '../schema/table.ts'
import { readTable, type StoredRow } from '../whole-tables.ts'

export async function* allRows(query: Kysely<Schema>, table: Table): AsyncGenerator<StoredRow> {
  for await (const page of readTable(query, table)) yield* page
}
