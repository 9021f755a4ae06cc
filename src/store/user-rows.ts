/** Users in the store. @module */
import type { UserRecord } from '../model/user.ts'
import { acceptedPage } from './bound-rows.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import type { UsersTable } from './schema.ts'
import { type StoreReads, type Transaction, StaleRow } from './store.ts'

type Reads = Pick<StoreReads, 'findUser' | 'findUserByName' | 'listUsers' | 'countUsers'>
type Writes = Pick<Transaction, 'insertUser' | 'updateUser' | 'confirmUser' | 'deleteUser'>

export function userReads({ query, rows }: RowScope): Reads {
  const accept = (found: UsersTable | undefined): UserRecord | undefined => {
    const row = found && rows.genuine('users', [found.user_id], found)
    return row && userOf(row)
  }
  return {
    async findUser(userId) {
      const found = await query
        .selectFrom('users')
        .selectAll()
        .where('user_id', '=', userId)
        .executeTakeFirst()
      return accept(found)
    },
    async findUserByName(accountId, name) {
      const found = await query
        .selectFrom('users')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .executeTakeFirst()
      return accept(found)
    },
    listUsers(accountId, { pathPrefix, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly UsersTable[]> =>
        query
          .selectFrom('users')
          .selectAll()
          .where('account_id', '=', accountId)
          .$if(after !== undefined, (users) => users.where('name', '>', after ?? ''))
          .orderBy('name')
          .limit(limit)
          .execute()
      return acceptedPage(
        page,
        fetch,
        (row) => row.name,
        (row) => (row.path.startsWith(pathPrefix) ? accept(row) : undefined),
      )
    },
    // Counts rows unchecked: a forged one can only use up the account's quota.
    async countUsers(accountId) {
      const { count } = await query
        .selectFrom('users')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow()
      return count
    },
  }
}

export function userWrites({ query, rows, touch }: WriteScope): Writes {
  const touchUser = ({ accountId, userId }: Pick<UserRecord, 'accountId' | 'userId'>): void =>
    touch({ kind: 'user', accountId, region: '', id: userId })
  return {
    async insertUser(user) {
      const row = rows.seal('users', columnsOf({ ...user, rowVersion: 1 }))
      await query.insertInto('users').values(row).execute()
      touchUser(user)
    },
    async updateUser(user, changes) {
      const updated = { ...user, ...changes, rowVersion: user.rowVersion + 1 }
      const { numUpdatedRows } = await query
        .updateTable('users')
        .set(rows.seal('users', columnsOf(updated)))
        .where('user_id', '=', user.userId)
        .where('row_version', '=', user.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(user)
      touchUser(user)
      return updated
    },
    async confirmUser(user) {
      // A write that changes nothing holds the row in every engine.
      const found = await query
        .updateTable('users')
        .set({ row_version: user.rowVersion })
        .where('user_id', '=', user.userId)
        .where('row_version', '=', user.rowVersion)
        .returningAll()
        .executeTakeFirst()
      if (rows.genuine('users', [user.userId], found) === undefined) throw stale(user)
    },
    async deleteUser(user) {
      const { numDeletedRows } = await query
        .deleteFrom('users')
        .where('user_id', '=', user.userId)
        .where('row_version', '=', user.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(user)
      touchUser(user)
    },
  }
}

function stale({ userId }: UserRecord): StaleRow {
  return new StaleRow(`user ${userId}`)
}

function columnsOf(user: UserRecord): Omit<UsersTable, 'row_tag'> {
  return {
    user_id: user.userId,
    account_id: user.accountId,
    name: user.name,
    folded_name: user.name.toLowerCase(),
    path: user.path,
    inline_policies: JSON.stringify(user.inlinePolicies),
    attached_policies: JSON.stringify(user.attachedPolicies),
    tags: JSON.stringify(user.tags),
    created_at: user.createdAt,
    row_version: user.rowVersion,
  }
}

/** A genuine row was made by `columnsOf`, so its JSON is the record's. */
function userOf(row: UsersTable): UserRecord {
  return {
    userId: row.user_id,
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    inlinePolicies: JSON.parse(row.inline_policies) as UserRecord['inlinePolicies'],
    attachedPolicies: JSON.parse(row.attached_policies) as UserRecord['attachedPolicies'],
    tags: JSON.parse(row.tags) as UserRecord['tags'],
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}
