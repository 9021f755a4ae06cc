/**
 * Failures of the store: how they are classified, and how they cross from the store thread to its
 * clients.
 * @see https://www.sqlite.org/rescode.html
 * @module
 */
import type { Failures } from '../../threads/link.ts'
import {
  DatabaseFailed,
  DatabaseInUse,
  LeaseExpired,
  StatementFailed,
  TransactionConflict,
} from '../database.ts'
import { DuplicateRow, StaleRow } from '../row-errors.ts'
import type { SqliteFailure, SqliteFailureKind } from './sqlite-protocol.ts'

const busy = 5
const locked = 6
const duplicates: readonly number[] = [1555, 2067, 2579]
/**
 * Codes of failed input or output, or of a damaged file. Whether the last commit is on disk is
 * unknown, so no later statement may run.
 */
const fatal: readonly number[] = [10, 11, 26]

/** The store thread's own refusal of a request. */
export class SqliteRefused extends Error {
  readonly kind: SqliteFailureKind
  constructor({ kind, message }: SqliteFailure) {
    super(message)
    this.kind = kind
  }
}

/**
 * The failure that a client sees for a thrown value. SQLite's messages name columns, never values.
 */
export function failureOf(error: unknown): SqliteFailure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof SqliteRefused) return { kind: error.kind, message }
  const code =
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
      ? error.errcode
      : 0
  return { kind: kindOf(code), message }
}

/** Whether SQLite found the file damaged. A file that is not a database is another failure. */
export function isDamage(error: unknown): boolean {
  const corrupt = 11
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === corrupt
}

function kindOf(code: number): SqliteFailureKind {
  const primary = code & 0xff
  if (duplicates.includes(code)) return 'duplicate'
  if (primary === busy || primary === locked) return 'conflict'
  return fatal.includes(primary) ? 'fatal' : 'refused'
}

const errors: Readonly<Record<SqliteFailureKind, (message: string) => Error>> = {
  duplicate: (message) => new DuplicateRow(message),
  stale: (message) => new StaleRow(message),
  conflict: (message) => new TransactionConflict(message),
  'in-use': () => new DatabaseInUse('the database is in use by another process'),
  lease: (message) => new LeaseExpired(message),
  fatal: (message) => new DatabaseFailed(message),
  refused: (message) => new StatementFailed(message),
}

/** How failures cross from the store thread to its clients. */
export const sqliteFailures: Failures = {
  write: failureOf,
  // Only `failureOf` makes kinds.
  read: ({ kind, message }) => errors[kind as SqliteFailureKind](message),
}
