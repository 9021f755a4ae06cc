/** Accounts and the access keys that sign for them. @module */

export interface AccountRecord {
  /** Twelve digits. */
  readonly accountId: string
  readonly createdAt: number
  readonly rowVersion: number
}

export interface AccessKeyRecord {
  readonly accessKeyId: string
  readonly accountId: string
  /** What the key signs as. */
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
