/** Types for creating access keys: random ones, and ones with a chosen id and secret. @module */
import type { AccessKeyRecord } from '../../model/access-key.ts'

/** The owner of a new access key. A service has no account: its `accountId` is empty. */
export interface AccessKeyOwner {
  readonly accountId: string
  readonly principalKind: AccessKeyRecord['principalKind'] | 'service'
  readonly principalId: string
}

export interface MadeAccessKey<Owner extends AccessKeyOwner> {
  readonly record: Owner &
    Pick<AccessKeyRecord, 'accessKeyId' | 'wrappingVersion' | 'wrappedSecret'>
  /** Only for the response that creates the key. It is never shown again. */
  readonly plaintextSecret: string
}

export type FixedAccessKeyOwner = Pick<
  AccessKeyRecord,
  'accessKeyId' | 'accountId' | 'principalKind' | 'principalId'
>

/** Access keys with a chosen id and secret. */
export interface FixedAccessKeys {
  /** Wraps the secret. The result is not stored yet. */
  make(
    owner: FixedAccessKeyOwner,
    plaintextSecret: string,
  ): FixedAccessKeyOwner & Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'>
  isSecretOf(accessKey: AccessKeyRecord, plaintextSecret: string): boolean
}
