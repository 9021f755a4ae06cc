/**
 * The last successful cryptographic use of a key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html
 * @module
 */
import type { KeyRef } from './key.ts'

/** The operations that count as a use. */
export type TrackedOperation =
  | 'Decapsulate'
  | 'Decrypt'
  | 'DeriveSharedSecret'
  | 'Encapsulate'
  | 'Encrypt'
  | 'GenerateDataKey'
  | 'GenerateDataKeyPair'
  | 'GenerateDataKeyPairWithoutPlaintext'
  | 'GenerateDataKeyWithoutPlaintext'
  | 'GenerateMac'
  | 'ReEncrypt'
  | 'Sign'
  | 'Verify'
  | 'VerifyMac'

export interface LastUsage extends KeyRef {
  readonly operation: TrackedOperation
  /** The time that the call's audit record says, in milliseconds since the epoch. */
  readonly usedAt: number
  /** Under which the audit journal holds the use. */
  readonly eventId: string
  readonly requestId: string
  /** The row that says so is not known to be ours. */
  readonly unproved?: true
}

/** The last use of a key whose row is missing: somebody removed it. */
export interface LostUsage extends KeyRef {
  readonly unproved: true
  readonly operation?: undefined
  readonly usedAt?: undefined
  readonly eventId?: undefined
  readonly requestId?: undefined
}

/** A use that has just happened. */
export interface NotedUsage extends LastUsage {
  /** Tells the key that was used from a later one of the same id. */
  readonly keyCreatedAt: number
}
