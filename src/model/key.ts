/** Keys, aliases and materials as the store holds them, in the API's words. @module */
import { formatArn } from './arn.ts'
import type { ExpirationModel } from './expiration.ts'

export type KeySpec =
  | 'SYMMETRIC_DEFAULT'
  | 'RSA_2048'
  | 'RSA_3072'
  | 'RSA_4096'
  | 'ECC_NIST_P256'
  | 'ECC_NIST_P384'
  | 'ECC_NIST_P521'
  | 'ECC_SECG_P256K1'
  | 'ECC_NIST_EDWARDS25519'
  | 'ML_DSA_44'
  | 'ML_DSA_65'
  | 'ML_DSA_87'
  | 'ML_KEM_512'
  | 'ML_KEM_768'
  | 'ML_KEM_1024'
  | 'HMAC_224'
  | 'HMAC_256'
  | 'HMAC_384'
  | 'HMAC_512'

export type KeyUsage =
  | 'ENCRYPT_DECRYPT'
  | 'SIGN_VERIFY'
  | 'GENERATE_VERIFY_MAC'
  | 'KEY_AGREEMENT'
  | 'ENCAPSULATE_DECAPSULATE'

export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL' | 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'

export type KeyState =
  | 'Creating'
  | 'Enabled'
  | 'Disabled'
  | 'PendingImport'
  | 'PendingDeletion'
  | 'PendingReplicaDeletion'
  | 'Unavailable'
  | 'Updating'

export interface Tag {
  readonly TagKey: string
  readonly TagValue: string
}

/**
 * Identifies a key. A key id alone is unique only within its account and Region (multi-Region
 * keys).
 */
export interface KeyRef {
  readonly accountId: string
  readonly region: string
  readonly keyId: string
}

export interface KeyRecord extends KeyRef {
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  readonly manager: 'CUSTOMER' | 'AWS'
  readonly state: KeyState
  readonly description: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Milliseconds since the epoch; present in PendingDeletion only. */
  readonly deletionDate?: number
  readonly pendingWindowDays?: number
  /** The primary key's Region; present for multi-Region keys only. */
  readonly primaryRegion?: string
  /** 64 lower-case hex digits; absent until the key has had material. */
  readonly currentMaterialId?: string
  /** Present while automatic rotation is on, together with `nextRotationAt`. */
  readonly rotationPeriodDays?: number
  /** Milliseconds since the epoch. */
  readonly nextRotationAt?: number
  /** Milliseconds since the epoch; present while an on-demand rotation is in progress. */
  readonly onDemandRotationStartedAt?: number
  /** Milliseconds since the epoch; present while the key is Creating or Updating. */
  readonly transitionStartedAt?: number
  /**
   * Present while all imported material that the key needs is present; `expirationOf` computes it.
   */
  readonly materialExpirationModel?: ExpirationModel
  /** The earliest expiry date of its materials, in milliseconds since the epoch. */
  readonly materialExpiresAt?: number
  /** The custom key store that holds it. */
  readonly customKeyStoreId?: string
  /** The external key behind it; present with origin EXTERNAL_KEY_STORE. */
  readonly xksKeyId?: string
  /** Its state once its key store is connected again; present in `Unavailable` only. */
  readonly connectedState?: 'Enabled' | 'Disabled'
  /** The key policy as written. */
  readonly policy: string
  /** The unique id of each principal in the policy, by ARN, at the time the policy was written. */
  readonly policyPrincipals: Readonly<Record<string, string>>
  /** In the order they were added. */
  readonly tags: readonly Tag[]
  /** Counts the row's versions from 1. A change names the version that it was decided on. */
  readonly rowVersion: number
}

/** Whether the key is the primary of its multi-Region keys. */
export function isPrimary({ primaryRegion, region }: KeyRecord): boolean {
  return primaryRegion === region
}

/** Whether the key is a multi-Region key with its primary in another Region. */
export function isReplica({ primaryRegion, region }: KeyRecord): boolean {
  return primaryRegion !== undefined && primaryRegion !== region
}

export interface AliasRef {
  readonly accountId: string
  readonly region: string
  /** With its prefix: `alias/…`. */
  readonly name: string
}

export interface AliasRecord extends AliasRef {
  readonly targetKeyId: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly rowVersion: number
}

/** A wrapped backing key. The AEAD binds every other member to the bytes. */
export interface MaterialRecord {
  /** 64 lower-case hex digits. */
  readonly materialId: string
  readonly accountId: string
  /** The Region that made the material. Replicas in other Regions use the same row. */
  readonly region: string
  readonly keyId: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  /** The version of the domain key that wraps it. */
  readonly wrappingVersion: number
  /** `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes; empty while imported material is deleted. */
  readonly wrapped: Uint8Array
  readonly createdAt: number
}

/** Cached: a call asks for the ARN of its key five times. */
let lastArn = { partition: '', region: '', accountId: '', keyId: '', arn: '' }

export function keyArn(partition: string, key: KeyRef): string {
  const { region, accountId, keyId } = key
  if (
    lastArn.keyId !== keyId ||
    lastArn.accountId !== accountId ||
    lastArn.region !== region ||
    lastArn.partition !== partition
  ) {
    const resource = `key/${keyId}`
    const arn = formatArn({ partition, service: 'kms', region, accountId, resource })
    lastArn = { partition, region, accountId, keyId, arn }
  }
  return lastArn.arn
}

export function aliasArn(partition: string, alias: AliasRef): string {
  const { region, accountId, name } = alias
  return formatArn({ partition, service: 'kms', region, accountId, resource: name })
}
