/**
 * Reads of rows that an account holds by a name that is unique apart from case: users, groups,
 * roles, managed policies.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Page } from '../page.ts'
import type { RowScope } from '../row-scope.ts'
import type { Columns, RowOf } from '../schema/columns.ts'
import type { Schema } from '../schema/schema.ts'
import type { RecordTable } from '../schema/table.ts'
import { countRows, tableReads } from './table-rows.ts'

/**
 * Stands for all of these tables, which have the columns of a name: the query builder cannot
 * express "any of them".
 */
type AnyOf = 'users'

/** A condition on a row of one of the tables. */
export type RowCondition = (row: ExpressionBuilder<Schema, AnyOf>) => Expression<SqlBool>

export interface NamedReads<Rec> {
  /** The name exactly as given; case matters. */
  readonly findByName: (accountId: string, name: string) => Promise<Rec | undefined>
  /** Ordered by name; only records that `wanted` accepts, and rows that meet the condition. */
  readonly list: (
    accountId: string,
    page: Page,
    wanted: (record: Rec) => boolean,
    condition?: RowCondition,
  ) => Promise<readonly Rec[]>
  /** Counts without checking tags: a forged row can only use up the account's quota. */
  readonly count: (accountId: string) => Promise<number>
}

export function namedReads<Rec extends object, C extends Columns>(
  table: RecordTable<Rec, 'users' | 'groups' | 'roles' | 'managed_policies', C>,
  scope: RowScope,
): NamedReads<Rec> {
  const { accept, page: pageOf } = tableReads(table, scope)
  const rowOf = (found: object): RowOf<C> => found as RowOf<C> // all columns of its table
  const all = () => scope.query.selectFrom(table.name as AnyOf).selectAll()
  return {
    async findByName(accountId, name) {
      const found = await all()
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .executeTakeFirst()
      return found && accept(rowOf(found))
    },
    list(accountId, page, wanted, condition) {
      const fetch = async (after: string | undefined, limit: number) => {
        const found = await all()
          .where('account_id', '=', accountId)
          .$if(after !== undefined, (some) => some.where('name', '>', after ?? ''))
          .$if(condition !== undefined, (some) =>
            some.where((row) => condition?.(row) ?? row.lit(true)),
          )
          .orderBy('name')
          .limit(limit)
          .execute()
        return found.map(rowOf)
      }
      return pageOf(page, fetch, ({ name }) => String(name), { wanted })
    },
    count: (accountId) => countRows(scope.query, table, { account_id: accountId }),
  }
}
