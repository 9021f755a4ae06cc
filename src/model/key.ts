/** A KMS key as the store holds it. The words are the API's. @module */
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

/** What names a key: the key id alone is unique in its account and Region only (multi-Region keys). */
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
  /** Present while automatic rotation is on, together with the next one's time. */
  readonly rotationPeriodDays?: number
  /** Milliseconds since the epoch. */
  readonly nextRotationAt?: number
  /** Milliseconds since the epoch; present while an on-demand rotation is in progress. */
  readonly onDemandRotationStartedAt?: number
  /** Milliseconds since the epoch; present while the key is Creating or Updating. */
  readonly transitionStartedAt?: number
  /** Present while all imported material that the key needs is there: `expirationOf` says it. */
  readonly materialExpirationModel?: ExpirationModel
  /** The soonest of its materials' dates, in milliseconds since the epoch. */
  readonly materialExpiresAt?: number
  /** The key policy as it was written. */
  readonly policy: string
  /** Unique id of each principal that the policy names, by ARN, at the time it was written. */
  readonly policyPrincipals: Readonly<Record<string, string>>
  /** In the order they were added. */
  readonly tags: readonly Tag[]
  /** Counts the row's versions from 1; a change names the version it was decided on. */
  readonly rowVersion: number
}

/** Whether it is the multi-Region key that the others of its id follow. */
export function isPrimary({ primaryRegion, region }: KeyRecord): boolean {
  return primaryRegion === region
}

/** Whether it is a multi-Region key whose primary is in another Region. */
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

/** A backing key, wrapped: the AEAD binds every other member here to the bytes. */
export interface MaterialRecord {
  /** 64 lower-case hex digits. */
  readonly materialId: string
  readonly accountId: string
  /** The Region in which the material was made; replicas in other Regions use the same row. */
  readonly region: string
  readonly keyId: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  /** Version of the domain key that wraps it. */
  readonly wrappingVersion: number
  /** `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes; empty while imported material is taken away. */
  readonly wrapped: Uint8Array
  readonly createdAt: number
}

/** A call asks five times for the ARN of its key. */
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
