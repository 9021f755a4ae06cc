/** How an algorithm handles a type of message: the cells of the signing table. @module */
import type { KeyObject } from 'node:crypto'
import type { KeySpec } from '../../model/key.ts'

/** The content of `Message`: the message, its digest, or ML-DSA's message representative μ. */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU'

export interface SignatureMethod {
  /** The only length that the message may have, in bytes; absent if any length is allowed. */
  readonly messageBytes?: number
  /**
   * Key specs for which the call takes about a millisecond or more, so that it runs in another
   * thread.
   */
  readonly slow: { readonly sign: readonly KeySpec[]; readonly verify: readonly KeySpec[] }
  readonly sign: (privateKey: KeyObject, message: Uint8Array) => Buffer
  /** False for any invalid signature, of any length. Never throws because of a caller's bytes. */
  readonly verify: (publicKey: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean
}
