/** Accounts and their access keys. @module */
import type { Organization } from './organization.ts'

export interface AccountRecord {
  /** Twelve digits. */
  readonly accountId: string
  /** Unique among all accounts. */
  readonly alias?: string
  /** Absent for an account outside any organization. */
  readonly organization?: Organization
  readonly createdAt: number
  readonly rowVersion: number
}

export interface AccessKeyRecord {
  readonly accessKeyId: string
  readonly accountId: string
  /** The kind of principal that the key signs for. */
  readonly principalKind: 'root' | 'user'
  /** The account id for a root user, `AIDA…` for a user. */
  readonly principalId: string
  readonly status: 'Active' | 'Inactive'
  /** Version of the domain key that wraps the secret. */
  readonly wrappingVersion: number
  /** The secret access key: `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes. */
  readonly wrappedSecret: Uint8Array
  readonly createdAt: number
  readonly rowVersion: number
}

/** One use of an access key, whether or not the call was allowed. */
export interface AccessKeyUse {
  readonly accessKeyId: string
  /** The signing name: `kms`. */
  readonly service: string
  readonly region: string
  readonly usedAt: number
}
