/**
 * An open database, whatever its engine, and the ways in which it fails. The driver of an engine turns
 * that engine's errors into these classes and into the port's `DuplicateRow`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Schema } from './schema/schema.ts'

export type Engine = 'sqlite' | 'postgresql'

export interface Database {
  readonly engine: Engine
  readonly query: Kysely<Schema>
  /** The number of the last change that was committed; read from memory. */
  readonly epoch: () => number
  /** Whether bytes of deleted material may lie in the file's log: known to all threads that use it. */
  readonly unscrubbed: { readonly raise: () => void; readonly take: () => boolean }
  /** Waits for nothing: what is pending is rejected, and a transaction that is open rolled back. */
  readonly close: () => Promise<void>
}

/** Another process has the database open. */
export class DatabaseInUse extends Error {}

/** The database was written by a later version of Trent. */
export class DatabaseTooNew extends Error {}

/** The tables, indexes, triggers or views of the database are not the ones that Trent made. */
export class SchemaChanged extends Error {}

/** The database answered a row that its query did not ask for. */
export class StrayRow extends Error {}

/** The database is gone: closed, or its thread ended. What was pending may or may not have happened. */
export class DatabaseFailed extends Error {}

/** The database refused one statement; its message quotes no value. */
export class StatementFailed extends Error {}

/** The transaction lost to another and can be run again from the start. */
export class TransactionConflict extends Error {}

/** A transaction stood still for too long and was rolled back; nothing of it is stored. */
export class LeaseExpired extends Error {}
