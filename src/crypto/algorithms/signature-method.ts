/** How one algorithm takes one type of message: the cells of the signing table. @module */
import type { KeyObject } from 'node:crypto'
import type { KeySpec } from '../../model/key.ts'

/** What `Message` is: the message, its digest, or ML-DSA's message representative μ. */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU'

export interface SignatureMethod {
  /** The only length in bytes that the message may have; absent where any will do. */
  readonly messageBytes?: number
  /** Key specs for which the call takes about a millisecond or more, and so leaves the event loop. */
  readonly slow: { readonly sign: readonly KeySpec[]; readonly verify: readonly KeySpec[] }
  readonly sign: (privateKey: KeyObject, message: Uint8Array) => Buffer
  /** False for whatever is no valid signature, of any length; never throws for what a caller sends. */
  readonly verify: (publicKey: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean
}
