/**
 * What differs between users, roles and groups in operations that they share. A family of such operations
 * (inline policies, attached policies, tags, permissions boundaries) is written once for all kinds.
 * @module
 */
import type { ErrorCode } from '../../errors.ts'
import type { IdentityKind, IdentityRecord } from '../../model/identity.ts'
import { lowerFirst, required, type Member, type Members } from '../../model/shape.ts'
import type { Transaction } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { Operation } from '../contract/operation.ts'
import { checkName, groupName, newUserName, roleName, userName } from './members.ts'
import { changeableRole, requiredGroup, requiredRole, requiredUser } from './required-identity.ts'

/** The input member that names a user, a role or a group. */
export type NameMember = 'UserName' | 'RoleName' | 'GroupName'

type PolicyChanges = Partial<Pick<IdentityRecord, 'inlinePolicies' | 'attachedPolicies'>>
type IdentityChanges = PolicyChanges &
  Partial<Pick<IdentityRecord, 'tags'>> & { readonly permissionsBoundary?: string | undefined }

/** The user, role or group of one call. */
interface Identity<Changes> {
  readonly record: IdentityRecord
  readonly uniqueId: string
  /** @throws {StaleRow} */
  readonly update: (transaction: Transaction, changes: Changes) => Promise<unknown>
}

type Resolved = Pick<Call<never, never>, 'user' | 'role' | 'group'>

/** A kind of identity: how operations name one, authorize the call, find it and change it. */
export interface Kind<N extends NameMember, Changes = PolicyChanges> extends NamedBy<
  N,
  Pick<Operation, IdentityKind>
> {
  readonly kind: IdentityKind
  readonly found: (call: Resolved) => Identity<Changes>
  /** Like `found`, and refuses an identity that its account may not change. @throws {KmsError} */
  readonly changeable: (call: Resolved) => Identity<Changes>
  /** Errors that `changeable` may throw. */
  readonly changeErrors: readonly ErrorCode[]
}

/** The name of a user or a role. Groups have no tags and no permissions boundary. */
export type TaggableName = Exclude<NameMember, 'GroupName'>
/** A kind of identity that also has tags and a permissions boundary. */
export type TaggableKind<N extends TaggableName> = Kind<N, IdentityChanges>

const foundUser: TaggableKind<'UserName'>['found'] = ({ user }) => {
  const record = requiredUser(user)
  const update: Identity<IdentityChanges>['update'] = (transaction, changes) =>
    transaction.updateUser(record, changes)
  return { record, uniqueId: record.userId, update }
}

export const users: TaggableKind<'UserName'> = {
  kind: 'user',
  member: 'UserName',
  name: required(userName),
  declare: (action) => ({ user: { from: 'UserName', action } }),
  found: foundUser,
  changeable: foundUser,
  changeErrors: [],
}

/** Users, for the operations in which AWS's model limits their names to 64 characters. */
export const usersOfShortName: typeof users = { ...users, name: required(newUserName) }

const identityOfRole = (record: ReturnType<typeof requiredRole>): Identity<IdentityChanges> => ({
  record,
  uniqueId: record.roleId,
  update: (transaction, changes) => transaction.updateRole(record, changes),
})

export const roles: TaggableKind<'RoleName'> = {
  kind: 'role',
  member: 'RoleName',
  name: required(roleName),
  declare: (action) => ({ role: { from: 'RoleName', action } }),
  found: ({ role }) => identityOfRole(requiredRole(role)),
  changeable: ({ role }) => identityOfRole(changeableRole(role)),
  changeErrors: ['UnmodifiableEntityException'],
}

const foundGroup: Kind<'GroupName'>['found'] = ({ group }) => {
  const record = requiredGroup(group)
  const update: Identity<PolicyChanges>['update'] = (transaction, changes) =>
    transaction.updateGroup(record, changes)
  return { record, uniqueId: record.groupId, update }
}

export const groups: Kind<'GroupName'> = {
  kind: 'group',
  member: 'GroupName',
  name: required(groupName),
  declare: (action) => ({ group: { from: 'GroupName', action } }),
  found: foundGroup,
  changeable: foundGroup,
  changeErrors: [],
}

/** How an operation names its subject: a member, its limits, and the permission that it declares. */
export interface NamedBy<N extends string, Declared> {
  readonly member: N
  readonly name: Member<string, true>
  readonly declare: (action: string) => Declared
}

/**
 * The name, the permission and the members of an operation. The member that names the subject comes first, as
 * in AWS's model.
 */
export function operationOn<N extends string, Declared, const Others extends Members>(
  subject: NamedBy<N, Declared>,
  name: string,
  others: Others,
) {
  // A computed key widens to `string`; its only value is the literal N.
  const first = { [subject.member]: subject.name } as Readonly<Record<N, Member<string, true>>>
  return { name, input: { ...first, ...others }, ...subject.declare(`iam:${name}`) }
}

/** @throws {KmsError} `ValidationException` */
export function checkIdentityName<N extends NameMember>(
  { member }: { readonly member: N },
  input: Readonly<Record<N, string>>,
): void {
  checkName(lowerFirst(member), input[member])
}
