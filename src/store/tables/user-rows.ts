/** The rows of users. @module */
import type { UserRecord } from '../../model/user.ts'
import { held, identityColumns, identityOf } from './identity-columns.ts'
import { namedReads, namedWrites, type NamedTable } from './named-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { StoreReads, Transaction } from '../store.ts'

type Reads = Pick<
  StoreReads,
  'findUser' | 'findUserByName' | 'listUsers' | 'listMembers' | 'countUsers'
>
type Writes = Pick<Transaction, 'insertUser' | 'updateUser' | 'confirmUser' | 'deleteUser'>

const users: NamedTable<'users', UserRecord> = {
  table: 'users',
  key: 'user_id',
  change: 'user',
  idOf: ({ userId }) => userId,
  columnsOf: (user) => ({
    user_id: user.userId,
    groups: JSON.stringify(user.groups),
    ...identityColumns(user),
    permissions_boundary: user.permissionsBoundary ?? null,
    sessions_revoked_at: user.sessionsRevokedAt ?? null,
  }),
  recordOf: (row) => ({
    userId: row.user_id,
    groups: JSON.parse(row.groups) as UserRecord['groups'],
    ...identityOf(row),
    ...(row.permissions_boundary !== null && { permissionsBoundary: row.permissions_boundary }),
    ...(row.sessions_revoked_at !== null && { sessionsRevokedAt: row.sessions_revoked_at }),
  }),
}

export function userReads(scope: RowScope): Reads {
  const { find, findByName, list, count } = namedReads(users, scope)
  return {
    findUser: find,
    findUserByName: findByName,
    listUsers: (accountId, { pathPrefix, holding, ...page }) =>
      list(
        accountId,
        page,
        ({ path }) => path.startsWith(pathPrefix),
        holding && ((row) => held(row, holding)),
      ),
    // A unique id is base 32, so no character in it is special to a pattern.
    listMembers: (accountId, groupId, page) =>
      list(
        accountId,
        page,
        () => true,
        (row) => row('groups', 'like', `%"${groupId}"%`),
      ),
    countUsers: count,
  }
}

export function userWrites(scope: WriteScope): Writes {
  const writes = namedWrites(users, scope)
  return {
    insertUser: writes.insert,
    updateUser: writes.update,
    confirmUser: writes.confirm,
    deleteUser: writes.delete,
  }
}
