/**
 * How many keys and aliases an account has in a Region: kept beside them, because counting the rows takes
 * the longer the more there are (0.3 s for 100,000 keys), and each call that makes one asks.
 *
 * INVARIANT (kept counts): the transaction that adds rows or takes some away changes their count, under
 * the lock of `change_head`'s row. Where a count is absent, or not genuine, the rows are counted: a
 * database from before there were counts needs no more, and nobody gains room by forging one or taking one
 * away. An older one that is put back stands until its rows are counted again.
 * @module
 */
import type { RowScope } from '../row-scope.ts'
import { type Counted, type Tally, awsAliases, nameOf } from '../tally.ts'
/** What comes after all of them, byte by byte. */
const awsAliasesEnd = 'alias/aws0'

/** As a transaction would leave it, in its own scope. */
export async function countOf(scope: RowScope, counted: Counted): Promise<number> {
  const kept = await keptCount(scope, counted)
  return kept === undefined ? countRows(scope, counted) : kept + (scope.tally?.of(counted) ?? 0)
}

/** Ends a transaction, once its number is taken: writes the counts that it has changed. */
export async function saveCounts(scope: RowScope, tally: Tally): Promise<void> {
  const { query, rows } = scope
  for (const [counted, by] of tally.all()) {
    const changed = ((await keptCount(scope, counted)) ?? -Infinity) + by
    // Less than none: an older count was put back.
    const count = changed < 0 ? await countRows(scope, counted) : changed
    const { accountId, region, kind } = counted
    const row = rows.seal('resource_counts', { account_id: accountId, region, kind, count })
    await query
      .insertInto('resource_counts')
      .values(row)
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'kind']).doUpdateSet(row))
      .execute()
  }
}

async function keptCount({ query, rows }: RowScope, counted: Counted): Promise<number | undefined> {
  const { accountId, region, kind } = counted
  const found = await query
    .selectFrom('resource_counts')
    .selectAll()
    .where((row) => row.and({ account_id: accountId, region, kind }))
    .executeTakeFirst()
  return rows.genuine('resource_counts', nameOf(counted), found)?.count
}

/** Rows unchecked: a forged one can only use up room. */
async function countRows({ query }: RowScope, counted: Counted): Promise<number> {
  const { accountId: account_id, region, kind } = counted
  const counting =
    kind === 'keys'
      ? query
          .selectFrom('keys')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where((row) => row.and({ account_id, region, manager: 'CUSTOMER' }))
      : query
          .selectFrom('aliases')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where((row) => row.and({ account_id, region }))
          .where((row) => row.or([row('name', '<', awsAliases), row('name', '>=', awsAliasesEnd)]))
  const { count } = await counting.executeTakeFirstOrThrow()
  return count
}
