/**
 * The last uses of access keys and roles. The rows have no tag and no change number, because they
 * decide nothing and are not cached.
 * @module
 */
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { RoleUse } from '../../model/role.ts'
import type { RowScope } from '../row-scope.ts'
import { accessKeys, accessKeyUsage } from '../schema/accounts.ts'
import { roles, roleUsage } from '../schema/identities.ts'
import type { RecordTable, Table } from '../schema/table.ts'
import { tableReads, unnamed } from './table-rows.ts'

export interface LastUses {
  findAccessKeyUse(accessKeyId: string): Promise<AccessKeyUse | undefined>
  /**
   * Saves each use that is not older than the stored one, in one transaction without a change
   * number. Each access key may occur once. Access keys that no longer exist are ignored.
   */
  saveAccessKeyUses(uses: readonly AccessKeyUse[]): Promise<void>
  findRoleUse(roleId: string): Promise<RoleUse | undefined>
  /** Works like `saveAccessKeyUses`. */
  saveRoleUses(uses: readonly RoleUse[]): Promise<void>
}

/** @param inOne runs its argument in one transaction */
export function lastUses(
  scope: RowScope,
  inOne: <T>(work: (scope: RowScope) => Promise<T>) => Promise<T>,
): LastUses {
  const findOfKey = tableReads(accessKeyUsage, scope).find
  const findOfRole = tableReads(roleUsage, scope).find
  return {
    findAccessKeyUse: (accessKeyId) => findOfKey({ accessKeyId }),
    saveAccessKeyUses: (uses) => inOne((one) => save(one, accessKeyUsage, accessKeys, uses)),
    findRoleUse: (roleId) => findOfRole({ roleId }),
    saveRoleUses: (uses) => inOne((one) => save(one, roleUsage, roles, uses)),
  }
}

/** Most rows in one statement, which bounds its parameters. */
const savedMax = 250

/** Both tables have the same primary key, of one column. */
async function save<Use extends object>(
  { query: typed }: RowScope,
  table: RecordTable<Use>,
  { name: used, primaryKey }: Table,
  uses: readonly Use[],
): Promise<void> {
  const query = unnamed(typed)
  const [id = ''] = primaryKey
  for (let start = 0; start < uses.length; start += savedMax) {
    const some = uses.slice(start, start + savedMax).map((use) => table.toRow(use))
    const found = await query
      .selectFrom(used)
      .select(id)
      .where(
        id,
        'in',
        some.map((row) => row[id] ?? ''),
      )
      .execute()
    const existing = new Set(found.map((row) => row[id]))
    const rows = some.filter((row) => existing.has(row[id] ?? ''))
    if (rows.length === 0) continue
    await query
      .insertInto(table.name)
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column(id)
          .doUpdateSet((row) =>
            Object.fromEntries(
              Object.keys(table.columns).map((column) => [column, row.ref(`excluded.${column}`)]),
            ),
          )
          // Another node may have saved a later use.
          .whereRef('excluded.used_at', '>=', `${table.name}.used_at`),
      )
      .execute()
  }
}
