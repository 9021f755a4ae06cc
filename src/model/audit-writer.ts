/** Who writes the audit journal, and what was last said of each stream. @module */

export interface AuditWriter {
  /** Its stream. */
  readonly stream: string
  /** Where the stream begins: behind what was deleted after it was delivered, or at its genesis. */
  readonly first: StreamStart
  /** The last checkpoint that is known to be durable: its text, and its signature of 64 bytes. */
  readonly checkpoint?: { readonly text: string; readonly signature: Uint8Array }
}

export interface StreamStart {
  /** From 1. */
  readonly segment: number
  /** The hash of the last frame before it, in lower-case hex; null at the genesis. */
  readonly hash: string | null
  /** Records before it. */
  readonly records: number
}

export const genesis: StreamStart = { segment: 1, hash: null, records: 0 }
