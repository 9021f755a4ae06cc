/**
 * The last use of each role. The rows have no tag and no change number, because they decide nothing
 * and are not cached.
 * @module
 */
import type { Kysely } from 'kysely'
import type { RoleUse } from '../../model/role.ts'
import type { Schema } from '../schema/schema.ts'

/** Most rows in one statement, which bounds its parameters. */
const savedMax = 250

export async function findRoleUse(
  query: Kysely<Schema>,
  roleId: string,
): Promise<RoleUse | undefined> {
  const row = await query
    .selectFrom('role_usage')
    .selectAll()
    .where('role_id', '=', roleId)
    .executeTakeFirst()
  return row && { roleId, region: row.region, usedAt: row.used_at }
}

/**
 * Saves uses that are later than the stored ones, and ignores roles that no longer exist. Call it
 * in a transaction, with each role at most once.
 */
export async function saveRoleUses(query: Kysely<Schema>, uses: readonly RoleUse[]): Promise<void> {
  for (let start = 0; start < uses.length; start += savedMax) {
    const some = uses.slice(start, start + savedMax)
    const ids = some.map(({ roleId }) => roleId)
    const found = await query
      .selectFrom('roles')
      .select('role_id')
      .where('role_id', 'in', ids)
      .execute()
    const present = new Set(found.map((row) => row.role_id))
    const rows = some
      .filter(({ roleId }) => present.has(roleId))
      .map(({ roleId, region, usedAt }) => ({ role_id: roleId, region, used_at: usedAt }))
    if (rows.length === 0) continue
    await query
      .insertInto('role_usage')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('role_id')
          .doUpdateSet((row) => ({
            region: row.ref('excluded.region'),
            used_at: row.ref('excluded.used_at'),
          }))
          // Another node may have saved a later use.
          .whereRef('excluded.used_at', '>=', 'role_usage.used_at'),
      )
      .execute()
  }
}
