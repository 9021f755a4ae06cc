/**
 * What the columns of a table hold. A value means the same in every engine; `create-schema.ts` has
 * the types of each engine.
 * @module
 */
import type { Generated } from 'kysely'

/** The stored form of each kind of column. */
interface Stored {
  /** Compared and ordered byte by byte, because lists are paged by that order. */
  readonly text: string
  /** A whole number up to 2^53 − 1. Times are milliseconds since the epoch. */
  readonly number: number
  /** 1 for true, 0 for false. */
  readonly flag: number
  /** JSON text. It may contain U+0000 in its strings, which PostgreSQL's text cannot. */
  readonly json: string
  readonly bytes: Uint8Array
  /** A number that the database increments itself. It is not known when the row is made. */
  readonly counter: number
}

export type ColumnKind = keyof Stored

export interface Column<
  Kind extends ColumnKind = ColumnKind,
  Member extends string | undefined = string | undefined,
  Optional extends boolean = boolean,
> {
  readonly kind: Kind
  /** The member of the record that the column stores. */
  readonly member: Member
  /** Whether the column is null if the record does not have the member. */
  readonly optional: Optional
  /** The version of the schema that added the column; the table's own version if absent. */
  readonly since?: number
}

export type Columns = Readonly<Record<string, Column>>

interface MakeColumn<Kind extends ColumnKind> {
  /** Stores a member of the record: `text('keyId')`. */
  <const Member extends string>(member: Member): Column<Kind, Member, false>
  /** Stores no member by itself. */
  (): Column<Kind, undefined, false>
}

function columnOf<Kind extends ColumnKind>(kind: Kind): MakeColumn<Kind> {
  const make = (member?: string) => ({ kind, member, optional: false })
  return make as MakeColumn<Kind> // both forms
}

export const text = columnOf('text')
export const number = columnOf('number')
export const flag = columnOf('flag')
export const json = columnOf('json')
export const bytes = columnOf('bytes')
export const counter = columnOf('counter')

export function optional<Kind extends ColumnKind, Member extends string | undefined>(
  column: Column<Kind, Member, false>,
): Column<Kind, Member, true> {
  return { ...column, optional: true }
}

/** A column that a later version of the schema adds. Existing rows have null in it. */
export function since<Kind extends ColumnKind, Member extends string | undefined>(
  version: number,
  column: Column<Kind, Member, true>,
): Column<Kind, Member, true> {
  return { ...column, since: version }
}

/**
 * A column on its way out, optional while it was in use. Each step is a version of the schema of its
 * own, because nodes of two successive versions use a database together.
 */
export interface FormerColumn {
  readonly kind: Exclude<ColumnKind, 'counter'>
  /** The version that added it; the table's own version if absent. */
  readonly since?: number
  /** The first version that does not read it. Writes clear it, because the row's tag covers it. */
  readonly unused: number
  /** The first version whose writes do not name it. No row may have a value by then. */
  readonly unnamed?: number
  /** The version that removes it. */
  readonly removed?: number
}

/** The tag of a row that decides something. It covers every other column (`bound-rows.ts`). */
export const rowTag = bytes()

type StoredIn<C extends Column> = C['optional'] extends false
  ? Stored[C['kind']]
  : Stored[C['kind']] | null

/** A row as queries return it. */
export type RowOf<C extends Columns> = { readonly [Name in keyof C]: StoredIn<C[Name]> }

/** A row as queries take it: they may leave out counters. */
export type QueriedRow<C extends Columns> = {
  readonly [Name in keyof C]: C[Name]['kind'] extends 'counter'
    ? Generated<number>
    : StoredIn<C[Name]>
}
