/**
 * Rows that an account holds by a name that is unique apart from case: users, groups, roles,
 * managed policies. Each table only adds how its columns and its record correspond.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { acceptedPage } from '../bound-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type {
  GroupsTable,
  ManagedPoliciesTable,
  RolesTable,
  Schema,
  UsersTable,
} from '../schema/schema.ts'
import { noRow, type Change } from '../change.ts'
import { StaleRow } from '../store.ts'
import type { Page } from '../page.ts'

interface NamedTables {
  readonly users: UsersTable
  readonly groups: GroupsTable
  readonly roles: RolesTable
  readonly managed_policies: ManagedPoliciesTable
}

type Named = keyof NamedTables

interface NamedRecord {
  readonly accountId: string
  readonly rowVersion: number
}

export interface NamedTable<T extends Named, Rec extends NamedRecord> {
  readonly table: T
  /** The column of the primary key. */
  readonly key: keyof NamedTables[T] & string
  readonly change: Change['kind']
  readonly idOf: (record: Omit<Rec, 'rowVersion'>) => string
  readonly columnsOf: (record: Rec) => Omit<NamedTables[T], 'row_tag'>
  readonly recordOf: (row: NamedTables[T]) => Rec
}

export interface NamedReads<T extends Named, Rec> {
  readonly find: (id: string) => Promise<Rec | undefined>
  /** The name exactly as given; case matters. */
  readonly findByName: (accountId: string, name: string) => Promise<Rec | undefined>
  /** Ordered by name; only rows that `wanted` accepts. */
  readonly list: (
    accountId: string,
    page: Page,
    wanted: (row: NamedTables[T]) => boolean,
    narrow?: Narrow,
  ) => Promise<readonly Rec[]>
  /** Counts without checking tags: a forged row can only use up the account's quota. */
  readonly count: (accountId: string) => Promise<number>
}

export interface NamedWrites<Rec> {
  readonly insert: (record: Omit<Rec, 'rowVersion'>) => Promise<void>
  /** `undefined` clears an optional member. */
  readonly update: (
    record: Rec,
    changes: { readonly [K in keyof Rec]?: Rec[K] | undefined },
  ) => Promise<Rec>
  readonly confirm: (record: Rec) => Promise<void>
  readonly delete: (record: Rec) => Promise<void>
}

/** A condition on the rows, in addition to `wanted`. */
export type Narrow = (row: ExpressionBuilder<Schema, AnyOf>) => Expression<SqlBool>

/**
 * Stands for all of these tables, which have its columns: the query layer cannot express "any of
 * them".
 */
type AnyOf = 'users'
type AnyKey = 'user_id'

export function namedReads<T extends Named, Rec extends NamedRecord>(
  named: NamedTable<T, Rec>,
  { query, rows }: RowScope,
): NamedReads<T, Rec> {
  const table = named.table as AnyOf
  const key = named.key as AnyKey
  const rowOf = (found: unknown): NamedTables[T] => found as NamedTables[T] // all columns of its table
  const accept = (row: NamedTables[T] | undefined): Rec | undefined => {
    const id = row && String(row[named.key])
    const genuine = id === undefined ? undefined : rows.genuine(named.table, [id], row)
    return genuine && named.recordOf(genuine)
  }
  return {
    async find(id) {
      const found = await query.selectFrom(table).selectAll().where(key, '=', id).executeTakeFirst()
      return found && accept(rowOf(found))
    },
    async findByName(accountId, name) {
      const found = await query
        .selectFrom(table)
        .selectAll()
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .executeTakeFirst()
      return found && accept(rowOf(found))
    },
    list(accountId, page, wanted, narrow) {
      const fetch = async (
        after: string | undefined,
        limit: number,
      ): Promise<readonly NamedTables[T][]> => {
        const found = await query
          .selectFrom(table)
          .selectAll()
          .where('account_id', '=', accountId)
          .$if(after !== undefined, (some) => some.where('name', '>', after ?? ''))
          .$if(narrow !== undefined, (some) => some.where((row) => narrow?.(row) ?? row.lit(true)))
          .orderBy('name')
          .limit(limit)
          .execute()
        return found.map(rowOf)
      }
      return acceptedPage(
        page,
        fetch,
        (row) => row.name,
        (row) => (wanted(row) ? accept(row) : undefined),
      )
    },
    async count(accountId) {
      const { count } = await query
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow()
      return count
    },
  }
}

export function namedWrites<T extends Named, Rec extends NamedRecord>(
  named: NamedTable<T, Rec>,
  { query, rows, touch }: WriteScope,
): NamedWrites<Rec> {
  const table = named.table as AnyOf
  const key = named.key as AnyKey
  const { idOf } = named
  const touchOne = (record: Omit<Rec, 'rowVersion'>, rowVersion: number): void => {
    const { accountId } = record as Pick<NamedRecord, 'accountId'> // every record has it
    touch({ kind: named.change, accountId, region: '', id: idOf(record) }, rowVersion)
  }
  const stale = (record: Rec): StaleRow => new StaleRow(`${named.change} ${idOf(record)}`)
  const sealed = (record: Rec): UsersTable & { readonly row_tag: Uint8Array } =>
    rows.seal(named.table, named.columnsOf(record)) as unknown as UsersTable // of its own table
  return {
    async insert(record) {
      const inserted = { ...record, rowVersion: 1 } as unknown as Rec // complete with its version
      await query.insertInto(table).values(sealed(inserted)).execute()
      touchOne(record, 1)
    },
    async update(record, changes) {
      const changed = { ...record, ...changes, rowVersion: record.rowVersion + 1 }
      const present = Object.entries(changed).filter(([, member]) => member !== undefined)
      const updated = Object.fromEntries(present) as unknown as Rec // only optional members were removed
      const { numUpdatedRows } = await query
        .updateTable(table)
        .set(sealed(updated))
        .where(key, '=', idOf(record))
        .where('row_version', '=', record.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(record)
      touchOne(record, changed.rowVersion)
      return updated
    },
    async confirm(record) {
      // A write that changes nothing locks the row in every engine.
      const found = await query
        .updateTable(table)
        .set({ row_version: record.rowVersion })
        .where(key, '=', idOf(record))
        .where('row_version', '=', record.rowVersion)
        .returningAll()
        .executeTakeFirst()
      if (rows.genuine(named.table, [idOf(record)], found) === undefined) throw stale(record)
    },
    async delete(record) {
      const { numDeletedRows } = await query
        .deleteFrom(table)
        .where(key, '=', idOf(record))
        .where('row_version', '=', record.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(record)
      touchOne(record, noRow)
    },
  }
}
