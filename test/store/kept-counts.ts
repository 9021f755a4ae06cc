/** Counts that are kept beside the rows, against the rows. @module */
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Database } from '../../src/store/database.ts'

/** Every place that has keys or aliases has its counts, and none is another than there are rows. */
export async function assertCountsKept({ query }: Pick<Database, 'query'>): Promise<void> {
  const kept = await query
    .selectFrom('resource_counts')
    .select(['account_id', 'region', 'kind', 'count'])
    .where('count', '<>', 0)
    .execute()
  const { rows } = await sql`
    SELECT account_id, region, 'keys' AS kind, count(*) AS count FROM keys
      WHERE manager = 'CUSTOMER' GROUP BY account_id, region
    UNION ALL SELECT account_id, region, 'aliases' AS kind, count(*) AS count FROM aliases
      WHERE substr(name, 1, 10) <> 'alias/aws/' GROUP BY account_id, region`.execute(query)
  const sorted = (all: readonly unknown[]): readonly string[] =>
    all.map((row) => JSON.stringify(row)).toSorted()
  assert.deepEqual(sorted(kept), sorted(rows))
}
