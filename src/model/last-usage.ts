/**
 * The last successful cryptographic use of a key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html
 * @module
 */
import type { KeyRef } from './key.ts'

/** Operations that count as a use. */
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
  /** The time in the call's audit record, in milliseconds since the epoch. */
  readonly usedAt: number
  /** The id of the use's event in the audit journal. */
  readonly eventId: string
  readonly requestId: string
  /** Present if the row's tag does not match, so someone else may have written it. */
  readonly unproved?: true
}

/** Stands for the last use of a key if its row is missing, because someone deleted it. */
export interface LostUsage extends KeyRef {
  readonly unproved: true
  readonly operation?: undefined
  readonly usedAt?: undefined
  readonly eventId?: undefined
  readonly requestId?: undefined
}

/** A use that was just made. */
export interface NotedUsage extends LastUsage {
  /** Distinguishes the key from a later one with the same id. */
  readonly keyCreatedAt: number
}
