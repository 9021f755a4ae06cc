/** Access keys that operations make: random ones, and those that somebody has chosen. @module */
import type { AccessKeyRecord } from '../../model/access-key.ts'

/** A service is of no account: its `accountId` is empty. */
export interface AccessKeyOwner {
  readonly accountId: string
  readonly principalKind: AccessKeyRecord['principalKind'] | 'service'
  readonly principalId: string
}

export interface MadeAccessKey<Owner extends AccessKeyOwner> {
  readonly record: Owner &
    Pick<AccessKeyRecord, 'accessKeyId' | 'wrappingVersion' | 'wrappedSecret'>
  /** For the one answer that tells it, and nothing else. */
  readonly plaintextSecret: string
}

export type FixedAccessKeyOwner = Pick<
  AccessKeyRecord,
  'accessKeyId' | 'accountId' | 'principalKind' | 'principalId'
>

/** Access keys whose id and secret somebody has chosen. */
export interface FixedAccessKeys {
  /** Not stored yet. */
  make(
    owner: FixedAccessKeyOwner,
    plaintextSecret: string,
  ): FixedAccessKeyOwner & Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'>
  isSecretOf(accessKey: AccessKeyRecord, plaintextSecret: string): boolean
}
