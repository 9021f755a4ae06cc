/** The rows of users, groups and roles. @module */
import type { GroupRecord } from '../../model/group.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { UserRecord } from '../../model/user.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { groups, roles, users } from '../schema/identities.ts'
import { namedReads, type RowCondition } from './named-rows.ts'
import { tableReads, tableWrites, type Changes } from './table-rows.ts'

/**
 * Selects identities that hold a managed policy: attached, as permissions boundary, or either if
 * `as` is absent.
 */
export interface Holding {
  readonly policyId: string
  readonly as?: 'attached' | 'boundary'
}

/** Selects the identities of a page. */
export type IdentityPage = Page & { readonly pathPrefix: string; readonly holding?: Holding }

export interface IdentityReads {
  findUser(userId: string): Promise<UserRecord | undefined>
  /** The name exactly as given; case matters. */
  findUserByName(accountId: string, name: string): Promise<UserRecord | undefined>
  /** Users of an account by name, filtered by `pathPrefix` and `holding`. */
  listUsers(accountId: string, page: IdentityPage): Promise<readonly UserRecord[]>
  countUsers(accountId: string): Promise<number>
  findGroup(groupId: string): Promise<GroupRecord | undefined>
  /** The name exactly as given; case matters. */
  findGroupByName(accountId: string, name: string): Promise<GroupRecord | undefined>
  /** Groups of an account by name, filtered by `pathPrefix` and `holding`. */
  listGroups(accountId: string, page: IdentityPage): Promise<readonly GroupRecord[]>
  countGroups(accountId: string): Promise<number>
  /** The users of a group, by name. */
  listMembers(accountId: string, groupId: string, page: Page): Promise<readonly UserRecord[]>
  findRole(roleId: string): Promise<RoleRecord | undefined>
  /** The name exactly as given; case matters. */
  findRoleByName(accountId: string, name: string): Promise<RoleRecord | undefined>
  /** Roles of an account by name, filtered by `pathPrefix` and `holding`. */
  listRoles(accountId: string, page: IdentityPage): Promise<readonly RoleRecord[]>
  countRoles(accountId: string): Promise<number>
}

/** The members of a role that a change may set. `undefined` clears an optional member. */
export type RoleChanges = Changes<
  Omit<
    RoleRecord,
    'roleId' | 'accountId' | 'name' | 'path' | 'serviceLinked' | 'createdAt' | 'rowVersion'
  >
>

export interface IdentityWrites {
  /** @throws {DuplicateRow} if a user has the same name apart from case */
  insertUser(user: Omit<UserRecord, 'rowVersion'>): Promise<UserRecord>
  /** @throws {StaleRow} @throws {DuplicateRow} if its new name is taken */
  updateUser(
    user: UserRecord,
    changes: Changes<Omit<UserRecord, 'userId' | 'accountId' | 'createdAt' | 'rowVersion'>>,
  ): Promise<UserRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmUser(user: UserRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteUser(user: UserRecord): Promise<void>
  /** @throws {DuplicateRow} if a group has the same name apart from case */
  insertGroup(group: Omit<GroupRecord, 'rowVersion'>): Promise<GroupRecord>
  /** @throws {StaleRow} @throws {DuplicateRow} if its new name is taken */
  updateGroup(
    group: GroupRecord,
    changes: Partial<Pick<GroupRecord, 'name' | 'path' | 'inlinePolicies' | 'attachedPolicies'>>,
  ): Promise<GroupRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmGroup(group: GroupRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteGroup(group: GroupRecord): Promise<void>
  /** @throws {DuplicateRow} if a role has the same name apart from case */
  insertRole(role: Omit<RoleRecord, 'rowVersion'>): Promise<RoleRecord>
  /** @throws {StaleRow} */
  updateRole(role: RoleRecord, changes: RoleChanges): Promise<RoleRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmRole(role: RoleRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteRole(role: RoleRecord): Promise<void>
}

export function identityReads(scope: RowScope): IdentityReads {
  const ofUsers = namedReads(users, scope)
  const ofGroups = namedReads(groups, scope)
  const ofRoles = namedReads(roles, scope)
  const find = {
    user: tableReads(users, scope).find,
    group: tableReads(groups, scope).find,
    role: tableReads(roles, scope).find,
  }
  return {
    findUser: (userId) => find.user({ userId }),
    findUserByName: ofUsers.findByName,
    listUsers: (accountId, { pathPrefix, holding, ...page }) =>
      ofUsers.list(accountId, page, isUnder(pathPrefix), holding && holds(holding)),
    countUsers: ofUsers.count,
    findGroup: (groupId) => find.group({ groupId }),
    findGroupByName: ofGroups.findByName,
    async listGroups(accountId, { pathPrefix, holding, ...page }) {
      // A group has no permissions boundary.
      if (holding?.as === 'boundary') return []
      const condition = holding && holds({ ...holding, as: 'attached' })
      return ofGroups.list(accountId, page, isUnder(pathPrefix), condition)
    },
    countGroups: ofGroups.count,
    // A unique id is base 32, so no character in it is special to JSON or to a pattern.
    listMembers: (accountId, groupId, page) =>
      ofUsers.list(accountId, page, isUnder(''), (row) => row('groups', 'like', `%"${groupId}"%`)),
    findRole: (roleId) => find.role({ roleId }),
    findRoleByName: ofRoles.findByName,
    listRoles: (accountId, { pathPrefix, holding, ...page }) =>
      ofRoles.list(accountId, page, isUnder(pathPrefix), holding && holds(holding)),
    countRoles: ofRoles.count,
  }
}

export function identityWrites(scope: WriteScope): IdentityWrites {
  const ofUsers = tableWrites(users, scope)
  const ofGroups = tableWrites(groups, scope)
  const ofRoles = tableWrites(roles, scope)
  return {
    insertUser: ofUsers.insert,
    updateUser: ofUsers.update,
    confirmUser: ofUsers.confirm,
    deleteUser: ofUsers.delete,
    insertGroup: ofGroups.insert,
    updateGroup: ofGroups.update,
    confirmGroup: ofGroups.confirm,
    deleteGroup: ofGroups.delete,
    insertRole: ofRoles.insert,
    updateRole: ofRoles.update,
    confirmRole: ofRoles.confirm,
    deleteRole: ofRoles.delete,
  }
}

function isUnder(pathPrefix: string): (record: { readonly path: string }) => boolean {
  return ({ path }) => path.startsWith(pathPrefix)
}

/** Matches rows of identities that hold a managed policy. Its id is base 32, as above. */
function holds({ policyId, as }: Holding): RowCondition {
  return (row) => {
    const attached = row('attached_policies', 'like', `%"${policyId}"%`)
    if (as === 'attached') return attached
    const bounded = row('permissions_boundary', '=', policyId)
    return as === 'boundary' ? bounded : row.or([attached, bounded])
  }
}
