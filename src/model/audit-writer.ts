/** The writers of the audit journal, and the last checkpoint of each stream. @module */

export interface AuditWriter {
  /** The name of its stream. */
  readonly stream: string
  /** The node that has the stream on its volume; absent in an embedded database. */
  readonly nodeId?: string
  /**
   * Where the stream begins: its genesis, or the end of the part that was deleted after delivery.
   */
  readonly first: StreamStart
  /** The last checkpoint known to be durable: its text, and its 64-byte signature. */
  readonly checkpoint?: { readonly text: string; readonly signature: Uint8Array }
}

export interface StreamStart {
  /** Counted from 1. */
  readonly segment: number
  /** The hash of the frame before the start, in lower-case hex; null at the genesis. */
  readonly hash: string | null
  /** The number of records before the start. */
  readonly records: number
}

export const genesis: StreamStart = { segment: 1, hash: null, records: 0 }
