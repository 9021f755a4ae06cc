/**
 * The number of keys and aliases of an account in a Region. The counts are stored, because every
 * call that creates one needs them, and counting rows takes 0.3 s for 100,000 keys.
 *
 * INVARIANT (kept counts): a transaction that inserts or deletes rows also changes their count,
 * under the lock of `change_head`'s row. If a count is absent or forged, the rows are counted. A
 * database from before there were counts therefore needs no migration, and nobody gains quota by
 * forging or deleting a count. An older count that an attacker puts back stays until the rows are
 * counted again.
 * @module
 */
import type { RowScope } from '../row-scope.ts'
import { type Counted, type Tally, awsAliases, nameOf } from '../tally.ts'

/** The first name after all of AWS's aliases, in byte order. */
const awsAliasesEnd = 'alias/aws0'

/** The count as the transaction would leave it, inside its own scope. */
export async function countOf(scope: RowScope, counted: Counted): Promise<number> {
  const kept = await keptCount(scope, counted)
  return kept === undefined ? countRows(scope, counted) : kept + (scope.tally?.of(counted) ?? 0)
}

/**
 * Ends a transaction: writes the counts that it changed. Call it after the transaction's number is
 * taken.
 */
export async function saveCounts(scope: RowScope, tally: Tally): Promise<void> {
  const { query, rows } = scope
  for (const [counted, by] of tally.all()) {
    const changed = ((await keptCount(scope, counted)) ?? -Infinity) + by
    // A negative count shows that an attacker put an older count back.
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

/** Counts without checking tags: a forged row can only use up quota. */
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
