/**
 * Describes tables. A descriptor is a plain object: everything that the store knows about a table
 * except its queries (`docs/adr/0031-one-descriptor-a-table.md`).
 * @module
 */
import type { Column, ColumnKind, Columns, FormerColumn, RowOf } from './columns.ts'

export interface Index<Name extends string = string> {
  /** At most 63 bytes, which is what PostgreSQL keeps of a name. */
  readonly name: string
  readonly columns: readonly Name[]
  readonly unique?: true
  /** Only rows that have a value in this column are in the index. */
  readonly having?: Name
  readonly since?: number
}

/** A reference to the primary key of another table. */
export interface Reference<Name extends string = string> {
  /** In the order of the primary key that they refer to. */
  readonly columns: readonly Name[]
  readonly to: Table
  /** What happens to the row when the other one is deleted. Refuses the deletion if absent. */
  readonly whenDeleted?: 'delete'
  /** What happens to the row when the other primary key changes. Refuses the change if absent. */
  readonly whenMoved?: 'move'
}

/** How a change of a row is named in the log of changes, by which caches drop records. */
export interface LoggedAs<Name extends string = string, Kind extends string = string> {
  readonly kind: Kind
  /** The columns of the account and the Region; empty in the log if absent. */
  readonly account?: Name
  readonly region?: Name
  /** The columns of the id, joined by `/`. Only the last may contain a slash. */
  readonly id: readonly Name[]
  /** The log does not record the row's version: it names another row, or the row has none. */
  readonly withoutVersion?: true
}

export interface Table<
  Name extends string = string,
  C extends Columns = Columns,
  Kind extends string = string,
> {
  /** The name in the database. */
  readonly name: Name
  /** A column `row_tag` makes the rows of the table bound rows. */
  readonly columns: C
  /** Columns that no record has any more, until a version removes them. */
  readonly former?: Readonly<Record<string, FormerColumn>>
  readonly primaryKey: readonly string[]
  readonly references?: readonly Reference[]
  readonly indexes?: readonly Index[]
  /** Whether rows are stored in the order of the primary key, if the engine can do that. */
  readonly clustered?: true
  readonly change?: LoggedAs<string, Kind>
  /** Whether `Transaction.empty` deletes the rows. */
  readonly emptied?: true
  /** The version of the schema that added the table; 1 if absent. */
  readonly since?: number
}

/** Checks the names of columns in a description. */
type Description<Name extends string, C extends Columns, Kind extends string> = Table<
  Name,
  C,
  Kind
> & {
  readonly primaryKey: readonly (keyof C & string)[]
  readonly references?: readonly Reference<keyof C & string>[]
  readonly indexes?: readonly Index<keyof C & string>[]
  readonly change?: LoggedAs<keyof C & string, Kind>
}

/** Describes a table without a type of records: queries use its rows as they are. */
export function table<
  const Name extends string,
  const C extends Columns,
  const Kind extends string = never,
>(description: Description<Name, C, Kind>): Table<Name, C, Kind> {
  return description
}

/** A table that stores records. */
export interface RecordTable<
  Rec extends object,
  Name extends string = string,
  C extends Columns = Columns,
  Kind extends string = string,
  Ref extends object = object,
> extends Table<Name, C, Kind> {
  /** The columns of a record, without those that are not known yet: the tag and a counter. */
  toRow(record: Rec): Untagged<C>
  /** The record of a row. Its values and its JSON are valid: `toRow` wrote every genuine row. */
  toRecord(row: RowOf<C>): Rec
  /** Never set. It says which members of a record find its row. */
  readonly ref?: Ref
}

/** A row without its tag and its counter. */
export type Untagged<C extends Columns> = Omit<RowOf<C>, 'row_tag' | CounterOf<C>>

type CounterOf<C extends Columns> = {
  [Name in keyof C]: C[Name]['kind'] extends 'counter' ? Name : never
}[keyof C]

/** The columns that are not a member of the record by themselves. */
type ComposedOf<C extends Columns> = Exclude<
  { [Name in keyof C]: C[Name]['member'] extends string ? never : Name }[keyof C],
  'row_tag' | CounterOf<C>
>

type MemberOf<C extends Columns, Name extends keyof C = keyof C> = C[Name]['member'] & string

type KindOf<Value> = Value extends string
  ? 'text' | 'json'
  : Value extends number
    ? 'number'
    : Value extends boolean
      ? 'flag'
      : Value extends Uint8Array
        ? 'bytes'
        : 'json'

/** The columns that can store a member of the record. */
type ColumnOf<Rec> = {
  readonly [M in keyof Rec & string]-?: Column<
    KindOf<Exclude<Rec[M], undefined>>,
    M,
    object extends Pick<Rec, M> ? true : false
  >
}[keyof Rec & string]

/** How the columns without a member of their own follow from the record, and back. */
interface Composition<Rec, C extends Columns, M extends keyof Rec> {
  readonly columns: (record: Rec) => Pick<RowOf<C>, ComposedOf<C>>
  /** The members of the record that only composed columns store, and how to read them. */
  readonly members?: readonly M[]
  readonly read?: (row: RowOf<C>) => Pick<Rec, M>
}

/** Requires a composition where a column has no member, and a column for every member. */
type Checked<Rec, C extends Columns, M extends keyof Rec> = {
  readonly columns: {
    readonly [Name in keyof C]: ColumnOf<Rec> | Column<ColumnKind, undefined>
  }
  readonly compose?: Composition<Rec, C, M>
} & ([ComposedOf<C>] extends [never]
  ? { readonly compose?: never }
  : { readonly compose: unknown }) &
  ([Exclude<keyof Rec, MemberOf<C> | M>] extends [never]
    ? unknown
    : { readonly noColumnFor: Exclude<keyof Rec, MemberOf<C> | M> })

/**
 * Describes a table of records. The compiler checks that every member of the record has a column.
 * The first call only names the type of the record.
 */
export function tableOf<Rec extends object>() {
  return <
    const Name extends string,
    const C extends Columns,
    const Key extends readonly (keyof C & string)[],
    const Kind extends string = never,
    const M extends keyof Rec & string = never,
  >(
    description: Description<Name, C, Kind> & {
      readonly primaryKey: Key
    } & Checked<Rec, C, M>,
  ): RecordTable<Rec, Name, C, Kind, Pick<Rec, MemberOf<C, Key[number]> & keyof Rec>> => {
    // The types above check the description; here it is read as any other.
    const { columns, compose } = description as unknown as {
      readonly columns: C
      readonly compose?: Composition<Rec, C, M>
    }
    const fields = Object.entries(columns).flatMap(([name, { kind, member }]) =>
      member === undefined
        ? []
        : [{ name, member, isJson: kind === 'json', isFlag: kind === 'flag' }],
    )
    const cleared = Object.entries(description.former ?? {}).flatMap(([name, { unnamed }]) =>
      unnamed === undefined ? [name] : [],
    )
    return {
      ...description,
      toRow(record) {
        const row: Record<string, unknown> = {}
        for (const name of cleared) row[name] = null
        for (const { name, member, isJson, isFlag } of fields) {
          const value = (record as Readonly<Record<string, unknown>>)[member]
          if (value === undefined) row[name] = null
          else row[name] = isJson ? JSON.stringify(value) : isFlag ? Number(value) : value
        }
        return Object.assign(row, compose?.columns(record)) as unknown as Untagged<C>
      },
      toRecord(row) {
        const record: Record<string, unknown> = {}
        for (const { name, member, isJson, isFlag } of fields) {
          const value: unknown = row[name]
          if (value === null) continue
          if (isJson) record[member] = JSON.parse(value as string)
          else record[member] = isFlag ? value === 1 : value
        }
        return Object.assign(record, compose?.read?.(row)) as unknown as Rec
      },
    }
  }
}
