/** Keys in HSMs on which no KMS key relies. @module */
import type { KeyRef } from './key.ts'

/** Names a key in the HSM of a custom key store. */
export interface HsmObjectRef extends KeyRef {
  readonly storeId: string
  /** The id of the KMS key's material, 64 hex digits. The object has it as CKA_ID. */
  readonly materialId: string
}

/**
 * A key in an HSM that is being made for a new KMS key, or that is to be destroyed. While it is here, a crash
 * cannot leave it behind in the HSM.
 */
export interface HsmObject extends HsmObjectRef {
  readonly phase: 'making' | 'destroying'
  /** Milliseconds since the epoch. */
  readonly since: number
}
