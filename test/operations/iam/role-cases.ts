/** Roles for the tests. @module */
import assert from 'node:assert/strict'
import { CreateRoleCommand, type Role } from '@aws-sdk/client-iam'
import type { Signed } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

export function roleArnOf(pathAndName: string): string {
  return `arn:aws:iam::${accountId}:role/${pathAndName}`
}

/** A trust policy of one statement. */
export function trustOf(Principal: unknown, more: object = {}): string {
  const Statement = { Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...more }
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

/** Creates a role as `by`. It trusts the account unless `more` has another trust policy. */
export async function newRole(
  by: Signed,
  RoleName: string,
  more: Partial<ConstructorParameters<typeof CreateRoleCommand>[0]> = {},
): Promise<Role> {
  const AssumeRolePolicyDocument = trustOf({ AWS: accountId })
  const command = new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, ...more })
  const { Role } = await by.iam.send(command)
  assert(Role)
  return Role
}
