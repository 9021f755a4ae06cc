/**
 * The number of keys and aliases of an account in a Region. The counts are stored, because every
 * call that creates one needs them, and counting rows takes 0.3 s for 100,000 keys.
 *
 * INVARIANT (kept counts): a transaction that inserts or deletes rows also changes their count,
 * under the lock of `change_head`'s row. If a count is absent or forged, the rows are counted, so
 * that nobody gains quota by forging or deleting a count. An older count that an attacker puts back
 * stays until the rows are counted again.
 * @module
 */
import type { RowScope } from '../row-scope.ts'
import { resourceCounts } from '../schema/key-usage.ts'
import { type Counted, type Tally, awsAliases } from '../tally.ts'
import { saveRecord, tableReads } from './table-rows.ts'

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
  for (const [counted, by] of tally.all()) {
    const changed = ((await keptCount(scope, counted)) ?? -Infinity) + by
    // A negative count shows that an attacker put an older count back.
    const count = changed < 0 ? await countRows(scope, counted) : changed
    await saveRecord(resourceCounts, scope, { ...counted, count })
  }
}

async function keptCount(scope: RowScope, counted: Counted): Promise<number | undefined> {
  const read = async (): Promise<number | undefined> =>
    (await tableReads(resourceCounts, scope).find(counted))?.count
  return scope.tally === undefined ? read() : scope.tally.kept(counted, read)
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
