/**
 * The column types of each engine, chosen so that a value means the same in all of them.
 * @module
 */
import { type ColumnDataType, type Expression, type RawBuilder, sql } from 'kysely'
import type { Engine } from '../database.ts'

export interface ColumnTypes {
  /** Compared and ordered byte by byte: lists are paged by it. */
  readonly text: ColumnDataType | Expression<unknown>
  /** 64 bits. */
  readonly number: ColumnDataType
  readonly bytes: ColumnDataType
  /** A number that the engine counts up by itself. */
  readonly counter: ColumnDataType
  /** What ends a table's definition. */
  readonly end: RawBuilder<unknown>
  /** The same for a table that is kept in the order of its primary key, where the engine can. */
  readonly clustered: RawBuilder<unknown>
}

const types: Readonly<Record<Engine, ColumnTypes>> = {
  // A strict table refuses a value of another type; SQLite's default collation is byte order.
  sqlite: {
    text: 'text',
    number: 'integer',
    bytes: 'blob',
    counter: 'integer',
    end: sql`strict`,
    clustered: sql`strict, without rowid`,
  },
  // Any other collation than "C" would list in an order that depends on the server's locale.
  // PostgreSQL's driver must read int8 as a number: no column exceeds 2^53 − 1.
  postgresql: {
    text: sql`text collate "C"`,
    number: 'bigint',
    bytes: 'bytea',
    counter: 'bigserial',
    end: sql``,
    clustered: sql``,
  },
}

export function columnTypes(engine: Engine): ColumnTypes {
  return types[engine]
}
