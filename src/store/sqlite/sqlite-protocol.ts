/**
 * The questions to the store thread: of its opener, and of each client over a port of its own.
 * Questions of one client are handled in order.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'

export type SqliteValue = string | number | bigint | Uint8Array | null

export type SqliteRow = Readonly<Record<string, SqliteValue>>

export interface SqliteStatement {
  readonly sql: string
  readonly parameters: readonly SqliteValue[]
}

/** A statement of a transaction. */
export interface SqliteStep extends SqliteStatement {
  /** How many rows it must affect. */
  readonly rows?: number
}

/**
 * Statements of one transaction, in order. If any but the last of a batch without `ends` fails, the
 * transaction is rolled back.
 */
export interface SqliteBatch {
  /** A number that the client gives to the transaction, unique among its own. */
  readonly lease: number
  /** Whether the transaction begins with this batch. */
  readonly begins: boolean
  readonly steps: readonly SqliteStep[]
  readonly ends?: 'commit' | 'rollback'
}

export interface SqliteResult {
  readonly rows: readonly SqliteRow[]
  /** The number of rows inserted, updated or deleted. */
  readonly affected: number
}

/** What a client asks. */
export type SqliteQuestions = {
  /** A statement outside of transactions. */
  readonly run: readonly [SqliteStatement, SqliteResult]
  /** Answers with the result of the last statement. */
  readonly transact: readonly [SqliteBatch, SqliteResult]
}

/** What the opener asks. */
export type StoreThreadQuestions = {
  readonly open: readonly [undefined, void]
  /** Serves one more client. Transfer the port. */
  readonly attach: readonly [MessagePort, void]
  /** Copies the database into a new file while it is in use. */
  readonly copy: readonly [string, void]
  /** Copies the write-ahead log into the database file and closes it. */
  readonly close: readonly [undefined, void]
}

export type SqliteFailureKind =
  | 'duplicate'
  | 'stale'
  | 'conflict'
  | 'in-use'
  | 'lease'
  | 'fatal'
  | 'refused'

export interface SqliteFailure {
  readonly kind: SqliteFailureKind
  /** Quotes no value. */
  readonly message: string
}

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
