/**
 * The last use of each access key. As for keys, the rows carry no tag and take no change number: they decide
 * nothing, and nobody caches them.
 * @module
 */
import type { Kysely } from 'kysely'
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { Schema } from '../schema/schema.ts'

/** Rows to a statement: bounds its parameters. */
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
 * Saves what is later than what is stored; a use of an access key that is gone is left out. To be called in a
 * transaction, with each access key once.
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
