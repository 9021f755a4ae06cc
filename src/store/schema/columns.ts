/**
 * The column types of each engine, chosen so that a value means the same in all engines.
 * @module
 */
import { type ColumnDataType, type Expression, type RawBuilder, sql } from 'kysely'
import type { Engine } from '../database.ts'

export interface ColumnTypes {
  /** Compared and ordered byte by byte, because lists are paged by that order. */
  readonly text: ColumnDataType | Expression<unknown>
  /** 64 bits. */
  readonly number: ColumnDataType
  readonly bytes: ColumnDataType
  /** A number that the engine increments itself. */
  readonly counter: ColumnDataType
  /** The end of a table's definition. */
  readonly end: RawBuilder<unknown>
  /** The same for a table stored in the order of its primary key, if the engine can do that. */
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
  // Other collations than "C" would order lists by the server's locale.
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
