/**
 * Takes away again what changes of users, roles, groups, their policies and identity providers took away. A
 * policy that is put or attached again is not: nothing is given back.
 * @module
 */
import { parseArn } from '../model/arn.ts'
import type { GroupRecord } from '../model/group.ts'
import { readIdentityResource, type IdentityRecord } from '../model/identity.ts'
import {
  managedPolicyArn,
  readPolicyArn,
  type ManagedPolicyRecord,
} from '../model/managed-policy.ts'
import { readOidcProviderArn, type OidcProviderRecord } from '../model/oidc-provider.ts'
import type { RoleRecord } from '../model/role.ts'
import type { UserRecord } from '../model/user.ts'
import type { Transaction } from '../store/store.ts'
import type { LoggedChange } from './logged-changes.ts'

/**
 * `taken`: it was there, and is taken away. `absent`: there was nothing to take away, for example because it
 * is newer than the backup. `left`: it is there, and cannot be taken away.
 */
export type Outcome = 'taken' | 'absent' | 'left'

export type TakeAway = (
  transaction: Transaction,
  change: LoggedChange,
  now: number,
) => Promise<Outcome>

/** How a record names an identity of a kind, and how that is found and changed. */
interface Kind<Rec extends IdentityRecord> {
  readonly member: 'userName' | 'roleName' | 'groupName'
  readonly find: (
    transaction: Transaction,
    accountId: string,
    name: string,
  ) => Promise<Rec | undefined>
  readonly update: (
    transaction: Transaction,
    record: Rec,
    changes: Partial<Pick<IdentityRecord, 'inlinePolicies' | 'attachedPolicies'>>,
  ) => Promise<unknown>
}

const users: Kind<UserRecord> = {
  member: 'userName',
  find: (transaction, accountId, name) => transaction.findUserByName(accountId, name),
  update: (transaction, user, changes) => transaction.updateUser(user, changes),
}

const roles: Kind<RoleRecord> = {
  member: 'roleName',
  find: (transaction, accountId, name) => transaction.findRoleByName(accountId, name),
  update: (transaction, role, changes) => transaction.updateRole(role, changes),
}

const groups: Kind<GroupRecord> = {
  member: 'groupName',
  find: (transaction, accountId, name) => transaction.findGroupByName(accountId, name),
  update: (transaction, group, changes) => transaction.updateGroup(group, changes),
}

/** By the name of the event. */
export const takeIdentityAway: Readonly<Record<string, TakeAway>> = {
  async DeleteUser(transaction, change) {
    const user = await named(users, transaction, change)
    if (user === undefined) return 'absent'
    for (const key of await transaction.listAccessKeysOf(user.userId)) {
      await transaction.deleteAccessKey(key)
    }
    await leavePolicies(transaction, user)
    await transaction.deleteUser(user)
    return 'taken'
  },
  async DeleteRole(transaction, change) {
    const role = await named(roles, transaction, change)
    if (role === undefined) return 'absent'
    await leavePolicies(transaction, role)
    await transaction.deleteRole(role)
    return 'taken'
  },
  async DeleteGroup(transaction, change) {
    const group = await named(groups, transaction, change)
    if (group === undefined) return 'absent'
    const { accountId, groupId } = group
    // They have left it, perhaps under another name.
    for (;;) {
      const [member] = await transaction.listMembers(accountId, groupId, { limit: 1 })
      if (member === undefined) break
      await leaveGroup(transaction, member, group)
    }
    await leavePolicies(transaction, group)
    await transaction.deleteGroup(group)
    return 'taken'
  },
  async RemoveUserFromGroup(transaction, change) {
    const user = await named(users, transaction, change)
    const group = await named(groups, transaction, change)
    const isMember = group !== undefined && user?.groups.includes(group.groupId) === true
    if (!isMember) return 'absent'
    await leaveGroup(transaction, user, group)
    return 'taken'
  },
  DetachUserPolicy: detach(users),
  DetachRolePolicy: detach(roles),
  DetachGroupPolicy: detach(groups),
  DeleteUserPolicy: deleteInline(users),
  DeleteRolePolicy: deleteInline(roles),
  DeleteGroupPolicy: deleteInline(groups),
  async DeletePolicyVersion(transaction, change, now) {
    const policy = await policyNamed(transaction, change)
    if (policy === undefined) return 'absent'
    const deleted = change.details['versionId']
    const versions = policy.versions.filter(({ versionId }) => versionId !== deleted)
    if (versions.length === policy.versions.length) return 'absent'
    // Another version is in force by a change that cannot be repeated.
    if (policy.defaultVersionId === deleted) return 'left'
    await transaction.updateManagedPolicy(policy, { versions, updatedAt: now })
    return 'taken'
  },
  async DeletePolicy(transaction, change) {
    const policy = await policyNamed(transaction, change)
    if (policy === undefined) return 'absent'
    // Whoever still has it lost it by a change that cannot be repeated.
    if (policy.attachments + policy.boundaries > 0) return 'left'
    await transaction.deleteManagedPolicy(policy)
    return 'taken'
  },
  async DeleteOpenIDConnectProvider(transaction, change) {
    const provider = await providerNamed(transaction, change)
    if (provider === undefined) return 'absent'
    await transaction.deleteOidcProvider(provider)
    return 'taken'
  },
  async RemoveClientIDFromOpenIDConnectProvider(transaction, change) {
    const provider = await providerNamed(transaction, change)
    if (provider === undefined) return 'absent'
    const clientIds = provider.clientIds.filter((each) => each !== change.details['clientID'])
    if (clientIds.length === provider.clientIds.length) return 'absent'
    await transaction.updateOidcProvider(provider, { clientIds })
    return 'taken'
  },
  // A restore ends all sessions. Lost changes that are accepted end those of this principal.
  async RevokeSessions(transaction, { details }, now) {
    const { accountId = '', resource = '' } = parseArn(String(details['principalArn'])) ?? {}
    const changes = { sessionsRevokedAt: now }
    const userName = readIdentityResource('user', resource)?.name
    const roleName = readIdentityResource('role', resource)?.name
    const user = userName && (await users.find(transaction, accountId, userName))
    if (user) await transaction.updateUser(user, changes)
    const role = roleName && (await roles.find(transaction, accountId, roleName))
    if (role) await transaction.updateRole(role, changes)
    return user || role ? 'taken' : 'absent'
  },
}

function named<Rec extends IdentityRecord>(
  { member, find }: Kind<Rec>,
  transaction: Transaction,
  { accountId, details }: LoggedChange,
): Promise<Rec | undefined> {
  return find(transaction, accountId, String(details[member]))
}

function detach<Rec extends IdentityRecord>(kind: Kind<Rec>): TakeAway {
  return async (transaction, change) => {
    const record = await named(kind, transaction, change)
    const attachedPolicies = record && (await withoutPolicy(transaction, record, change))
    if (record === undefined || attachedPolicies === undefined) return 'absent'
    await kind.update(transaction, record, { attachedPolicies })
    return 'taken'
  }
}

function deleteInline<Rec extends IdentityRecord>(kind: Kind<Rec>): TakeAway {
  return async (transaction, change) => {
    const record = await named(kind, transaction, change)
    const name = String(change.details['policyName'])
    if (record === undefined || !Object.hasOwn(record.inlinePolicies, name)) return 'absent'
    const left = Object.entries(record.inlinePolicies).filter(([each]) => each !== name)
    await kind.update(transaction, record, { inlinePolicies: Object.fromEntries(left) })
    return 'taken'
  }
}

async function leaveGroup(
  transaction: Transaction,
  user: UserRecord,
  { groupId }: GroupRecord,
): Promise<void> {
  const left = user.groups.filter((id) => id !== groupId)
  if (left.length < user.groups.length) await transaction.updateUser(user, { groups: left })
}

async function policyNamed(
  transaction: Transaction,
  { accountId, details }: LoggedChange,
): Promise<ManagedPolicyRecord | undefined> {
  const of = readPolicyArn(String(details['policyArn']))
  if (of?.accountId !== accountId) return undefined
  const found = await transaction.findManagedPolicyByName(accountId, of.name)
  return found?.path === of.path ? found : undefined
}

async function providerNamed(
  transaction: Transaction,
  { accountId, details }: LoggedChange,
): Promise<OidcProviderRecord | undefined> {
  const of = readOidcProviderArn(String(details['openIDConnectProviderArn']))
  return of?.accountId === accountId ? transaction.findOidcProvider(of) : undefined
}

/** The policies that stay attached; undefined if the policy is not attached. */
async function withoutPolicy(
  transaction: Transaction,
  { attachedPolicies }: IdentityRecord,
  { details }: LoggedChange,
): Promise<readonly string[] | undefined> {
  for (const id of attachedPolicies) {
    const policy = await transaction.findManagedPolicy(id)
    if (policy === undefined) continue
    const partition = String(details['policyArn']).split(':')[1] ?? ''
    if (managedPolicyArn(partition, policy) !== details['policyArn']) continue
    await transaction.updateManagedPolicy(policy, { attachments: policy.attachments - 1 })
    return attachedPolicies.filter((each) => each !== id)
  }
  return undefined
}

/** A policy counts those who have it. */
async function leavePolicies(
  transaction: Transaction,
  { attachedPolicies, permissionsBoundary }: IdentityRecord,
): Promise<void> {
  for (const id of attachedPolicies) {
    const policy = await transaction.findManagedPolicy(id)
    if (policy === undefined) continue
    await transaction.updateManagedPolicy(policy, { attachments: policy.attachments - 1 })
  }
  if (permissionsBoundary === undefined) return
  const boundary = await transaction.findManagedPolicy(permissionsBoundary)
  if (boundary === undefined) return
  await transaction.updateManagedPolicy(boundary, { boundaries: boundary.boundaries - 1 })
}
