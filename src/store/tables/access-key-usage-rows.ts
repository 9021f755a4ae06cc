/**
 * The last use of each access key. The rows have no tag and no change number, because they decide
 * nothing and are not cached.
 * @module
 */
import type { Kysely } from 'kysely'
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { Schema } from '../schema/schema.ts'

/** Most rows in one statement, which bounds its parameters. */
const savedMax = 250

export async function findAccessKeyUse(
  query: Kysely<Schema>,
  accessKeyId: string,
): Promise<AccessKeyUse | undefined> {
  const row = await query
    .selectFrom('access_key_usage')
    .selectAll()
    .where('access_key_id', '=', accessKeyId)
    .executeTakeFirst()
  return row && { accessKeyId, service: row.service, region: row.region, usedAt: row.used_at }
}

/**
 * Saves uses that are later than the stored ones, and ignores access keys that no longer exist.
 * Call it in a transaction, with each access key at most once.
 */
export async function saveAccessKeyUses(
  query: Kysely<Schema>,
  uses: readonly AccessKeyUse[],
): Promise<void> {
  for (let start = 0; start < uses.length; start += savedMax) {
    const some = uses.slice(start, start + savedMax)
    const ids = some.map(({ accessKeyId }) => accessKeyId)
    const found = await query
      .selectFrom('access_keys')
      .select('access_key_id')
      .where('access_key_id', 'in', ids)
      .execute()
    const present = new Set(found.map((row) => row.access_key_id))
    const rows = some
      .filter(({ accessKeyId }) => present.has(accessKeyId))
      .map(({ accessKeyId, service, region, usedAt }) => ({
        access_key_id: accessKeyId,
        service,
        region,
        used_at: usedAt,
      }))
    if (rows.length === 0) continue
    await query
      .insertInto('access_key_usage')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('access_key_id')
          .doUpdateSet((row) => ({
            service: row.ref('excluded.service'),
            region: row.ref('excluded.region'),
            used_at: row.ref('excluded.used_at'),
          }))
          // Another node may have saved a later use.
          .whereRef('excluded.used_at', '>=', 'access_key_usage.used_at'),
      )
      .execute()
  }
}
