/**
 * The last use of each role. As for keys, the rows carry no tag and take no change number: they decide
 * nothing, and nobody caches them.
 * @module
 */
import type { Kysely } from 'kysely'
import type { RoleUse } from '../../model/role.ts'
import type { Schema } from '../schema/schema.ts'

/** Rows to a statement: bounds its parameters. */
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
 * Saves what is later than what is stored; a use of a role that is gone is left out. To be called in a
 * transaction, with each role once.
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
