/** What the operations that give out sessions of roles share. @module */
import assert from 'node:assert/strict'
import type { AssumeRoleResponse } from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import type { RoleRecord } from '../../model/role.ts'
import { auditedCredentials, auditedSizes } from './new-session.ts'

const secondsByDefault = 3600

/** How long a session of a role is to live. @throws {KmsError} `ValidationException` */
export function requireRoleDuration(
  asked: number | undefined,
  { maxSessionSeconds }: Pick<RoleRecord, 'maxSessionSeconds'>,
): number {
  const seconds = asked ?? secondsByDefault
  if (seconds <= maxSessionSeconds) return seconds
  throw new KmsError(
    'ValidationException',
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  )
}

/** @param arn the role's */
export function assumedRoleUser(
  { roleId, accountId }: Pick<RoleRecord, 'roleId' | 'accountId'>,
  arn: string,
  name: string,
): { readonly AssumedRoleUser: { readonly AssumedRoleId: string; readonly Arn: string } } {
  const { partition = '', resource = '' } = parseArn(arn) ?? {}
  const roleName = resource.split('/').at(-1) ?? ''
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${roleId}:${name}`,
      Arn: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${name}`,
    },
  }
}

/** What the record of a call keeps of the session that it gave out. */
export function auditedSession({
  Credentials,
  AssumedRoleUser,
  ...sizes
}: AssumeRoleResponse): Readonly<Record<string, unknown>> {
  return {
    ...(Credentials && { credentials: auditedCredentials(told(Credentials)) }),
    assumedRoleUser: {
      assumedRoleId: AssumedRoleUser?.AssumedRoleId,
      arn: AssumedRoleUser?.Arn,
    },
    ...auditedSizes(sizes),
  }
}

/** The answer is an operation's own, in which every member is. */
function told(credentials: NonNullable<AssumeRoleResponse['Credentials']>): {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
} {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials
  assert(AccessKeyId && SecretAccessKey && SessionToken && Expiration)
  return { AccessKeyId, SecretAccessKey, SessionToken, Expiration }
}
