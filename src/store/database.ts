/**
 * An open database of any engine, and its failures. An engine's driver turns the engine's errors
 * into these classes and into the store's `DuplicateRow`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Freshness } from './freshness.ts'
import type { Schema } from './schema/schema.ts'
import type { Unscrubbed } from './unscrubbed.ts'

export type Engine = 'sqlite' | 'postgresql'

export interface Database {
  readonly engine: Engine
  readonly query: Kysely<Schema>
  /** The number of the last committed change that this node knows, read from memory. */
  readonly epoch: () => number
  readonly freshness: Freshness
  /** The node that uses the database; absent if only one node can. */
  readonly nodeId?: string
  /** Runs `work` while no other node of the database runs its own: first starts are not at one moment. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
  readonly unscrubbed: Unscrubbed
  /** Closes at once: pending calls are rejected, and an open transaction is rolled back. */
  readonly close: () => Promise<void>
}

/** The whole database at one moment, while others change it. */
export interface Snapshot {
  readonly query: Kysely<Schema>
  readonly close: () => Promise<void>
}

/** Nothing can be changed now, and nothing was. The message says why. */
export class ChangesRefused extends Error {}

/** Another process has the database open. */
export class DatabaseInUse extends Error {}

/** A later version of Trent wrote the database. */
export class DatabaseTooNew extends Error {}

/** A version of Trent from before the first schema wrote the database. No later one reads it. */
export class DatabaseTooOld extends Error {}

/** The database has tables, indexes, triggers or views that Trent did not create, or lacks some. */
export class SchemaChanged extends Error {}

/** The database returned a row that the query did not ask for. */
export class StrayRow extends Error {}

/**
 * The database is gone: closed, or its thread ended. Whether pending statements took effect is
 * unknown.
 */
export class DatabaseFailed extends Error {}

/** The database refused one statement. The message quotes no value. */
export class StatementFailed extends Error {}

/** The transaction conflicted with another and can be run again from the start. */
export class TransactionConflict extends Error {}

/** A transaction was idle for too long and was rolled back. */
export class LeaseExpired extends Error {}
