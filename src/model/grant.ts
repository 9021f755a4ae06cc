/**
 * A grant as the store holds it: an allow-only permission on one key. It is never changed, only taken away.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 * @module
 */
import { hash } from 'node:crypto'
import type { KeyRef } from './key.ts'

/** What a grant can give, in the order of the service's model. */
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

/** What must hold of a call for the grant to speak for it. At most one of the two contexts is there. */
export interface GrantConstraints {
  /** The encryption context is just this. */
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>
  /** The encryption context has all of these pairs. */
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>
  /** The resource on whose behalf an AWS service calls. */
  readonly SourceArn?: string
}

export interface GrantRef extends KeyRef {
  /** 64 lower-case hex digits. */
  readonly grantId: string
}

export interface GrantRecord extends GrantRef {
  /** Neither unique nor an identifier: it makes a repeated request the same one. */
  readonly name?: string
  /** The grantee's ARN; absent where a service is the grantee. */
  readonly granteePrincipal?: string
  /** The grantee's unique id when the grant was made: a namesake inherits nothing. */
  readonly granteeId?: string
  readonly granteeServicePrincipal?: string
  readonly retiringPrincipal?: string
  readonly retiringId?: string
  readonly retiringServicePrincipal?: string
  /** The account that called CreateGrant. */
  readonly issuingAccountId: string
  /** Each once, in the order of the request. */
  readonly operations: readonly GrantOperation[]
  readonly constraints?: GrantConstraints
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly rowVersion: number
}

/** Under which name a grant's grantee is looked up: an ARN, or a service principal. */
export function granteeOf(
  grant: Pick<GrantRecord, 'granteePrincipal' | 'granteeServicePrincipal'>,
): string {
  return grant.granteePrincipal ?? grant.granteeServicePrincipal ?? ''
}

type Requested = Omit<GrantRecord, 'grantId' | 'createdAt' | 'rowVersion'>

/** The same for two requests that ask for the same grant by the same name: 64 hex digits. */
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
