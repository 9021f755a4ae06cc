/** Opens the database of a deployment: the embedded one, or one in PostgreSQL. @module */
import type { MessagePort } from 'node:worker_threads'
import type { Database, Snapshot } from './database.ts'
import {
  attachPostgres,
  openPostgres,
  type PostgresSettings,
  type SharedPostgres,
} from './postgres/open-postgres.ts'
import type { Following } from './postgres/following.ts'
import {
  attachSqliteDatabase,
  openSqliteDatabase,
  type SharedSqlite,
  type SqliteSettings,
} from './sqlite/open-sqlite.ts'

export interface OpenSettings
  extends SqliteSettings, Pick<PostgresSettings, 'nodeId' | 'freshnessMs' | 'requireSynchronous'> {
  /** `postgres://…`. The embedded database at `path` is used without it. */
  readonly url?: string | undefined
}

/** What another thread needs to use the database. Transfer `portsOf` with it, and use it once. */
export type SharedDatabase = SharedSqlite | SharedPostgres

export interface OwnedDatabase extends Database {
  readonly share: () => SharedDatabase
  /**
   * Reads the database as it is at one moment. Calls go on meanwhile. With SQLite, a copy of the file
   * needs as much room next to it until the snapshot is closed.
   */
  readonly snapshot: () => Promise<Snapshot>
  /** Absent if only one node can use the database. */
  readonly following?: Following
}

/**
 * Opens or creates the database.
 * @throws {DatabaseInUse} if another process has it open
 * @throws {DatabaseUnreachable} if no primary can be reached
 * @throws {DatabaseTooNew} if a later version of Trent wrote it
 * @throws {SchemaChanged} if its tables, indexes, triggers or views are not the ones that Trent
 * created
 */
export function openDatabase(settings: OpenSettings): Promise<OwnedDatabase> {
  const { url } = settings
  return url === undefined ? openSqliteDatabase(settings) : openPostgres({ ...settings, url })
}

/** Uses a database that another thread opened. Closing it does not close that one. */
export function attachDatabase(
  shared: SharedDatabase,
  onFailure: (error: Error) => void = () => {},
): Database {
  return shared.engine === 'sqlite'
    ? attachSqliteDatabase(shared, onFailure)
    : attachPostgres(shared, onFailure)
}

/** Ports to transfer with it. */
export function portsOf(shared: SharedDatabase): readonly MessagePort[] {
  return shared.engine === 'sqlite' ? [shared.port] : []
}
