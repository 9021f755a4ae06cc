/** The role that a call is about, which the pipeline has found. @module */
import { KmsError } from '../../errors.ts'
import type { RoleRecord } from '../../model/role.ts'

export function requiredRole(role: RoleRecord | undefined): RoleRecord {
  if (role === undefined) throw new Error('a call without its role was authorized')
  return role
}

/** One that its account may change. @throws {KmsError} `UnmodifiableEntityException` */
export function changeableRole(role: RoleRecord | undefined): RoleRecord {
  const known = requiredRole(role)
  if (known.serviceLinked === undefined) return known
  const message =
    `Cannot perform the operation on the protected role '${known.name}' - ` +
    'this role is only modifiable by AWS'
  throw new KmsError('UnmodifiableEntityException', message)
}
