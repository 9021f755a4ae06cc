/**
 * Reads and writes that are the same for every table of records. They follow from the table's
 * descriptor; a table adds only its own queries.
 *
 * An update writes every column, so that no value of a row that was forged in the meantime gets a
 * valid tag.
 * @module
 */
import type { Compilable, Kysely } from 'kysely'
import { acceptedPage, isBound } from '../bound-rows.ts'
import { noRow, type Change } from '../change.ts'
import { defer } from '../deferred.ts'
import { StaleRow } from '../row-errors.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { Columns, RowOf } from '../schema/columns.ts'
import type { RecordTable, Table } from '../schema/table.ts'
import type { Page } from '../page.ts'

type Value = string | number | Uint8Array | null
type Values = Readonly<Record<string, Value>>

/** Lets one function make the queries of any table, named when it runs. */
export function unnamed(query: RowScope['query']): Kysely<Readonly<Record<string, Values>>> {
  return query as unknown as Kysely<Readonly<Record<string, Values>>>
}

export interface TableReads<Rec, Row, Ref> {
  /** The record of a row; undefined, after a report, if the row is not genuine. */
  readonly accept: (row: Row | undefined) => Rec | undefined
  readonly acceptAll: (rows: readonly Row[]) => readonly Rec[]
  /** Finds a record by its primary key. */
  readonly find: (ref: Ref) => Promise<Rec | undefined>
  /**
   * A page of records. `fetch` returns the rows after the one with that name, and `nameOf` names a
   * row.
   */
  readonly page: (
    page: Page,
    fetch: (after: string | undefined, limit: number) => Promise<readonly Row[]>,
    nameOf: (row: Row) => string,
    options?: {
      /** Rows in one statement: more if rows are small. */
      readonly fetchedMax?: number
      /** Leaves out other records. */
      readonly wanted?: (record: Rec) => boolean
    },
  ) => Promise<readonly Rec[]>
}

export function tableReads<Rec extends object, C extends Columns, Ref extends object>(
  table: RecordTable<Rec, string, C, string, Ref>,
  { query, rows }: RowScope,
): TableReads<Rec, RowOf<C>, Ref> {
  const acceptAs = (row: RowOf<C>, primaryKey: readonly Value[]): Rec | undefined => {
    if (isBound(table) && !rows.isGenuine(table, row, primaryKey)) return undefined
    return table.toRecord(row)
  }
  const accept = (row: RowOf<C> | undefined): Rec | undefined =>
    row && acceptAs(row, keyOfRow(table, row))
  return {
    accept,
    acceptAll: (found) => found.flatMap((row) => accept(row) ?? []),
    async find(ref) {
      const key = memberColumns(table, table.primaryKey, ref)
      const row = await unnamed(query)
        .selectFrom(table.name)
        .selectAll()
        .where((all) => all.and(key))
        .executeTakeFirst()
      // A row that was not asked for is reported as the one that was.
      return row && acceptAs(row as RowOf<C>, Object.values(key))
    },
    page: (page, fetch, nameOf, { fetchedMax, wanted = () => true } = {}) => {
      const acceptWanted = (row: RowOf<C>): Rec | undefined => {
        const record = accept(row)
        return record !== undefined && wanted(record) ? record : undefined
      }
      return acceptedPage(page, fetch, nameOf, acceptWanted, fetchedMax)
    },
  }
}

/** The members that a change sets. `undefined` clears an optional member. */
export type Changes<Rec> = { readonly [M in keyof Rec]?: Rec[M] | undefined }

interface Versioned {
  /** Counts the row's versions from 1. */
  readonly rowVersion: number
}

export interface TableWrites<Rec> {
  /** @throws {DuplicateRow} if the primary key or a unique column is taken */
  readonly insert: (record: Omit<Rec, 'rowVersion'>) => Promise<Rec>
  /** @returns the record in its next version @throws {StaleRow} @throws {DuplicateRow} */
  readonly update: (record: Rec, changes: Changes<Rec>) => Promise<Rec>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  readonly confirm: (record: Rec) => Promise<void>
  /** @throws {StaleRow} */
  readonly delete: (record: Rec) => Promise<void>
}

/**
 * Writes rows that have a version, each as a numbered change.
 * @param isDeferred whether nobody catches what a write throws, so that it can run with the next
 * statement or with the commit, which then throws it
 */
export function tableWrites<Rec extends Versioned, C extends Columns>(
  table: RecordTable<Rec, string, C>,
  { query, rows, touch }: WriteScope,
  { isDeferred = false }: { readonly isDeferred?: boolean } = {},
): TableWrites<Rec> {
  const any = unnamed(query)
  /** Runs a statement that must affect one row. */
  const writeOne = async (write: Compilable, record: Rec): Promise<void> => {
    if (isDeferred) return defer(query, write, { rows: 1 })
    const { numAffectedRows } = await query.executeQuery(write.compile())
    if (numAffectedRows !== 1n) throw stale(record)
  }
  const isRow = (record: Rec): Values => rowConditions(table, record)
  const stale = (record: Rec): StaleRow =>
    new StaleRow([table.name, ...Object.values(isRow(record))].join('/'))
  return {
    async insert(record) {
      const inserted = { ...record, rowVersion: 1 } as unknown as Rec // complete with its version
      const row = rows.seal(table, table.toRow(inserted))
      await writeOne(any.insertInto(table.name).values(row), inserted)
      touch(...changeOf(table, row, 1))
      return inserted
    },
    async update(record, changes) {
      const updated = nextVersion(table, record, changes)
      const row = rows.seal(table, table.toRow(updated))
      const isPresent = isRow(record)
      const update = any.updateTable(table.name).set(row)
      await writeOne(
        update.where((all) => all.and(isPresent)),
        record,
      )
      touch(...changeOf(table, row, updated.rowVersion))
      return updated
    },
    async confirm(record) {
      // A write that changes nothing locks the row in every engine.
      const found = await any
        .updateTable(table.name)
        .set({ row_version: record.rowVersion })
        .where((all) => all.and(isRow(record)))
        .returningAll()
        .executeTakeFirst()
      const primaryKey = Object.values(memberColumns(table, table.primaryKey, record))
      if (found === undefined || !rows.isGenuine(table, found, primaryKey)) throw stale(record)
    },
    async delete(record) {
      const isPresent = isRow(record)
      await writeOne(
        any.deleteFrom(table.name).where((all) => all.and(isPresent)),
        record,
      )
      touch(...changeOf(table, table.toRow(record), noRow))
    },
  }
}

/** Inserts a row, or replaces the one with the same primary key. It is not a numbered change. */
export async function saveRecord<Rec extends object, C extends Columns>(
  table: RecordTable<Rec, string, C>,
  scope: RowScope,
  record: Rec,
): Promise<void> {
  const row = sealedRow(table, scope, record)
  await defer(
    scope.query,
    unnamed(scope.query)
      .insertInto(table.name)
      .values(row)
      .onConflict((conflict) => conflict.columns([...table.primaryKey]).doUpdateSet(row)),
  )
}

/** Rows in one statement: SQLite takes some 32,000 values. */
const insertedMax = 1000

/** Inserts rows, in a transaction with the next statement. They are not numbered changes. */
export async function insertRecords<Rec extends object, C extends Columns>(
  table: RecordTable<Rec, string, C>,
  scope: RowScope,
  records: readonly Rec[],
): Promise<void> {
  const { query } = scope
  for (let start = 0; start < records.length; start += insertedMax) {
    const some = records.slice(start, start + insertedMax)
    const rows = some.map((record) => sealedRow(table, scope, record))
    await defer(query, unnamed(query).insertInto(table.name).values(rows))
  }
}

function sealedRow<Rec extends object, C extends Columns>(
  table: RecordTable<Rec, string, C>,
  { rows }: RowScope,
  record: Rec,
): Values {
  const row = table.toRow(record)
  return isBound(table) ? rows.seal(table, row) : row
}

/** Counts rows without checking tags: a forged row can only use up a quota. */
export async function countRows(
  query: RowScope['query'],
  { name }: Table,
  conditions: Values,
): Promise<number> {
  const { count } = await unnamed(query)
    .selectFrom(name)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((all) => all.and(conditions))
    .executeTakeFirstOrThrow()
  return count
}

/** How the log of changes names a row, and the version at which the change leaves it. */
export function changeOf(
  { name, change }: Table,
  row: Values,
  rowVersion: number,
): [Omit<Change, 'seq'>, number?] {
  if (change === undefined) throw new TypeError(`rows of ${name} are not in the log of changes`)
  const { kind, account, region, id, withoutVersion } = change
  const named = {
    kind: kind as Change['kind'], // the kind of one of the descriptors
    accountId: String(account === undefined ? '' : row[account]),
    region: String(region === undefined ? '' : row[region]),
    id: id.map((column) => row[column]).join('/'),
  }
  return withoutVersion ? [named] : [named, rowVersion]
}

function keyOfRow({ primaryKey }: Table, row: Values): readonly Value[] {
  return primaryKey.map((column) => row[column] ?? null)
}

/** Those of the columns that store a member by themselves, with the record's values. */
function memberColumns({ columns }: Table, names: readonly string[], record: object): Values {
  const members = record as Readonly<Record<string, Value>> // only keys and ids are asked for
  const values: Record<string, Value> = {}
  for (const name of names) {
    const member = columns[name]?.member
    if (member !== undefined) values[name] = members[member] ?? null
  }
  return values
}

/**
 * What the row of a record must have: its primary key, its version, and what the log of changes
 * names it by. A service that is registered again has another access key.
 */
function rowConditions(table: Table, record: Versioned): Values {
  const names = [...table.primaryKey, ...(table.change?.id ?? [])]
  return { ...memberColumns(table, names, record), row_version: record.rowVersion }
}

function nextVersion<Rec extends Versioned>(
  { columns }: Table,
  record: Rec,
  changes: Changes<Rec>,
): Rec {
  const required = new Set(
    Object.values(columns).flatMap(({ member, optional }) => (optional ? [] : [member])),
  )
  const known = new Map<string, unknown>(Object.entries(record))
  for (const [member, value] of Object.entries(changes)) {
    if (value !== undefined) known.set(member, value)
    else if (!required.has(member)) known.delete(member)
  }
  known.set('rowVersion', record.rowVersion + 1)
  return Object.fromEntries(known) as unknown as Rec // only optional members were removed
}
