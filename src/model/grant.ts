/**
 * A grant: a permission on one key. Grants can only allow, and are never changed, only deleted.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 * @module
 */
import { hash } from 'node:crypto'
import type { KeyRef } from './key.ts'

/** The operations that a grant can allow, in the order of the service's model. */
export const grantOperations = [
  'CreateGrant',
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'DescribeKey',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RetireGrant',
  'Sign',
  'Verify',
  'VerifyMac',
] as const

export type GrantOperation = (typeof grantOperations)[number]

/**
 * Conditions on a call for the grant to apply. At most one of the two context members is present.
 */
export interface GrantConstraints {
  /** The encryption context must equal this. */
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>
  /** The encryption context must contain all of these pairs. */
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>
  /** The resource for which an AWS service calls. */
  readonly SourceArn?: string
}

export interface GrantRef extends KeyRef {
  /** 64 lower-case hex digits. */
  readonly grantId: string
}

export interface GrantRecord extends GrantRef {
  /**
   * Not unique and not an identifier: a repeated request with the same name returns the same grant.
   */
  readonly name?: string
  /** The grantee's ARN; absent if the grantee is a service. */
  readonly granteePrincipal?: string
  /**
   * The grantee's unique id at creation, so that a later principal of the same name inherits
   * nothing.
   */
  readonly granteeId?: string
  readonly granteeServicePrincipal?: string
  readonly retiringPrincipal?: string
  readonly retiringId?: string
  readonly retiringServicePrincipal?: string
  /** The account that called CreateGrant. */
  readonly issuingAccountId: string
  /** Without duplicates, in the order of the request. */
  readonly operations: readonly GrantOperation[]
  readonly constraints?: GrantConstraints
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly rowVersion: number
}

/** The name under which a grant is looked up: the grantee's ARN, or a service principal. */
export function granteeOf(
  grant: Pick<GrantRecord, 'granteePrincipal' | 'granteeServicePrincipal'>,
): string {
  return grant.granteePrincipal ?? grant.granteeServicePrincipal ?? ''
}

type Requested = Omit<GrantRecord, 'grantId' | 'createdAt' | 'rowVersion'>

/** Equal for two requests that ask for the same grant by the same name: 64 hex digits. */
export function requestDigest(grant: Requested): string {
  const { EncryptionContextEquals, EncryptionContextSubset, SourceArn } = grant.constraints ?? {}
  const parts = [
    grant.name,
    grant.granteePrincipal,
    grant.granteeId,
    grant.granteeServicePrincipal,
    grant.retiringPrincipal,
    grant.retiringId,
    grant.retiringServicePrincipal,
    grant.issuingAccountId,
    [...grant.operations].sort(),
    sortedPairs(EncryptionContextEquals),
    sortedPairs(EncryptionContextSubset),
    SourceArn,
  ]
  return hash('sha256', JSON.stringify(parts.map((part) => part ?? null)))
}

function sortedPairs(
  context: Readonly<Record<string, string>> | undefined,
): readonly (readonly [string, string])[] | undefined {
  return context && Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1))
}
