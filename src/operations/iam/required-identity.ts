/** The user, role or group that a call is about, as the pipeline resolved it. @module */
import { KmsError } from '../../errors.ts'
import type { GroupRecord } from '../../model/group.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { UserRecord } from '../../model/user.ts'
import type { StoreReads } from '../../store/store.ts'

export function requiredUser(user: UserRecord | undefined): UserRecord {
  if (user === undefined) throw new Error('a call without its user was authorized')
  return user
}

export function requiredRole(role: RoleRecord | undefined): RoleRecord {
  if (role === undefined) throw new Error('a call without its role was authorized')
  return role
}

export function requiredGroup(group: GroupRecord | undefined): GroupRecord {
  if (group === undefined) throw new Error('a call without its group was authorized')
  return group
}

/**
 * A role that its account may change: any but a service-linked one.
 * @throws {KmsError} `UnmodifiableEntityException`
 */
export function changeableRole(role: RoleRecord | undefined): RoleRecord {
  const known = requiredRole(role)
  if (known.serviceLinked === undefined) return known
  const message =
    `Cannot perform the operation on the protected role '${known.name}' - ` +
    'this role is only modifiable by AWS'
  throw new KmsError('UnmodifiableEntityException', message)
}

/** A user that a call on a group names. @throws {KmsError} `NoSuchEntityException` */
export async function userNamed(
  accountId: string,
  name: string,
  store: Pick<StoreReads, 'findUserByName'>,
): Promise<UserRecord> {
  const found = await store.findUserByName(accountId, name)
  if (found !== undefined) return found
  throw new KmsError('NoSuchEntityException', `The user with name ${name} cannot be found.`)
}

/** The refusal to delete an identity that still has something. @param first what to do before */
export function deleteConflict(first: string): KmsError {
  return new KmsError('DeleteConflictException', `Cannot delete entity, must ${first} first.`)
}
