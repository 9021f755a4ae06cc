/** Issues temporary credentials, and builds the response and the audit record for them. @module */
import type { AssumeRoleResponse } from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import type { IdentityTag } from '../../model/identity.ts'
import { SessionTooLarge, type Session } from '../../model/session.ts'
import { checkPolicyArn, managedPolicyOf } from '../iam/managed-policy.ts'
import { requestTags } from '../iam/shown-user.ts'
import type { ContextEntries } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

export interface IssuedCredentials {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
}

export interface MadeSession {
  readonly Credentials: IssuedCredentials
  /** In percent; absent without session policies and tags. */
  readonly PackedPolicySize?: number
  /** Bytes of the token, and percentage of its size limit. */
  readonly SessionTokenSize: number
  readonly SessionTokenUtilization: number
}

/** @throws {KmsError} `PackedPolicyTooLargeException` */
export function makeSession(
  { sessions }: OperationDependencies,
  session: Session,
  tokenSizeMin?: number,
): MadeSession {
  try {
    const { accessKeyId, plaintextSecret, token, packedPercent, tokenPercent } = sessions.issue(
      session,
      tokenSizeMin,
    )
    return {
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: plaintextSecret,
        SessionToken: token,
        Expiration: new Date(session.expiresAt),
      },
      ...(packedPercent > 0 && { PackedPolicySize: packedPercent }),
      SessionTokenSize: token.length,
      SessionTokenUtilization: tokenPercent,
    }
  } catch (error) {
    if (!(error instanceof SessionTooLarge)) throw error
    throw new KmsError(
      'PackedPolicyTooLargeException',
      `Packed size of session tags and policies consumes ${error.percent}% of allotted space.`,
    )
  }
}

/** The session sizes that the audit record keeps. */
export function auditedSizes(
  made: Pick<AssumeRoleResponse, 'PackedPolicySize' | `SessionToken${'Size' | 'Utilization'}`>,
): Readonly<Record<string, unknown>> {
  return {
    packedPolicySize: made.PackedPolicySize,
    sessionTokenUtilization: made.SessionTokenUtilization,
    sessionTokenSize: made.SessionTokenSize,
  }
}

/** The part of credentials that the audit record keeps: neither the secret nor the token. */
export function auditedCredentials({ AccessKeyId, Expiration }: IssuedCredentials): object {
  return { accessKeyId: AccessKeyId, expiration: Expiration }
}

/** Reads and checks the session policies. @param check checks the inline policy @throws {KmsError} */
export async function sessionPolicies(
  input: {
    readonly Policy?: string
    readonly PolicyArns?: readonly { readonly arn?: string }[]
  },
  { accountId, partition }: { readonly accountId: string; readonly partition: string },
  { store }: Pick<OperationDependencies, 'store'>,
  check: (policy: string) => void,
): Promise<Pick<Session, 'policy' | 'policyIds'>> {
  const { Policy: policy, PolicyArns = [] } = input
  if (policy !== undefined) check(policy)
  const policyIds: string[] = []
  for (const { arn = '' } of PolicyArns) {
    checkPolicyArn(arn)
    const { policyId } = await managedPolicyOf(arn, { partition, caller: { accountId } }, store)
    policyIds.push(policyId)
  }
  return { policyIds, ...(policy !== undefined && { policy }) }
}

/** Condition keys for the tags of a request and for its transitive tag keys. */
export function tagContext(
  tags: readonly IdentityTag[] = [],
  transitive: readonly string[] = [],
): ContextEntries {
  return {
    ...requestTags(tags),
    ...(transitive.length > 0 && { 'sts:TransitiveTagKeys': transitive }),
  }
}
