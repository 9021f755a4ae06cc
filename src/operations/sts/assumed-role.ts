/** Shared parts of the operations that issue role sessions. @module */
import assert from 'node:assert/strict'
import type { AssumeRoleResponse } from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import type { RoleRecord } from '../../model/role.ts'
import { auditedCredentials, auditedSizes } from './new-session.ts'

const secondsByDefault = 3600

/** Returns the duration of a role session in seconds. @throws {KmsError} `ValidationException` */
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

/** @param arn the ARN of the role */
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

/** The part of an issued session that the audit record keeps. */
export function auditedSession({
  Credentials,
  AssumedRoleUser,
  ...sizes
}: AssumeRoleResponse): Readonly<Record<string, unknown>> {
  return {
    ...(Credentials && { credentials: auditedCredentials(completeCredentials(Credentials)) }),
    assumedRoleUser: {
      assumedRoleId: AssumedRoleUser?.AssumedRoleId,
      arn: AssumedRoleUser?.Arn,
    },
    ...auditedSizes(sizes),
  }
}

/** Narrows the SDK's type: the operations always set every member. */
function completeCredentials(credentials: NonNullable<AssumeRoleResponse['Credentials']>): {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
} {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials
  assert(AccessKeyId && SecretAccessKey && SessionToken && Expiration)
  return { AccessKeyId, SecretAccessKey, SessionToken, Expiration }
}
