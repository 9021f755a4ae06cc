/**
 * The messages between clients and the store thread, over one message port for each client.
 * Requests of one port are handled in order. Each has exactly one response, unless the thread ends.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'

export type SqliteValue = string | number | bigint | Uint8Array | null

export type SqliteRow = Readonly<Record<string, SqliteValue>>

/** `lease` is the transaction that a statement belongs to; 0 for none. */
export type SqliteRequest =
  | {
      readonly id: number
      readonly kind: 'run'
      readonly lease: number
      readonly sql: string
      readonly parameters: readonly SqliteValue[]
    }
  | { readonly id: number; readonly kind: 'begin' }
  | { readonly id: number; readonly kind: 'commit' | 'rollback'; readonly lease: number }

export type SqliteFailureKind = 'duplicate' | 'conflict' | 'in-use' | 'lease' | 'fatal' | 'refused'

export interface SqliteFailure {
  readonly kind: SqliteFailureKind
  /** Quotes no value. */
  readonly message: string
}

export interface SqliteResult {
  readonly rows: readonly SqliteRow[]
  /** The number of rows inserted, updated or deleted. */
  readonly affected: number
}

/** The response to `begin` is the number of its lease. */
export type SqliteResponse =
  | { readonly id: number; readonly result: SqliteResult | number | undefined }
  | { readonly id: number; readonly failure: SqliteFailure }

/** The settings with which the thread starts. */
export interface StoreThreadSettings {
  readonly path: string
  /** Begins with a BigInt64, the number of the last committed change. */
  readonly epoch: SharedArrayBuffer
  /** How long a transaction may wait for its client's next statement, in milliseconds. */
  readonly leaseMs: number
  /** How often the write-ahead log is copied into the database file, in milliseconds. */
  readonly checkpointMs: number
}

/** A message from the opener to the thread. */
export type StoreThreadOrder =
  | { readonly kind: 'attach'; readonly port: MessagePort }
  | { readonly kind: 'close' }

/** A message from the thread to its opener. */
export type StoreThreadNotice =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly failure: SqliteFailure }
  | { readonly kind: 'closed' }
