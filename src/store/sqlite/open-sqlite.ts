/**
 * Opens the embedded database: starts the store thread, connects to it and migrates the schema.
 * Worker threads connect to the same store thread with the result of `share`.
 * @module
 */
import { Kysely } from 'kysely'
import { rmSync } from 'node:fs'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createThread, ThreadEnded } from '../../threads/thread.ts'
import { type Database, DatabaseFailed, type Snapshot } from '../database.ts'
import { alwaysFresh } from '../freshness.ts'
import { requireExpectedSchema } from '../verify/expected-schema.ts'
import { migrate } from '../migrations.ts'
import type { Schema } from '../schema/schema.ts'
import { connectSqlite } from './sqlite-client.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { unscrubbedIn } from '../unscrubbed.ts'
import { sqliteFailures } from './sqlite-failure.ts'
import type { StoreThreadQuestions, StoreThreadSettings } from './sqlite-protocol.ts'

export interface SqliteSettings {
  /** The path of the file. Its folder must exist. A missing file is created with mode 0600. */
  readonly path: string
  /** How long a transaction may be idle before it is rolled back. */
  readonly leaseMs?: number
  /** How often the write-ahead log is copied into the database file. Default: 10 s. */
  readonly checkpointMs?: number
  /** Called once if the database ends by itself. It can then no longer be used. */
  readonly onFailure?: (error: Error) => void
}

/** What another thread needs to use the database. Transfer `port` with it, and use it once. */
export interface SharedSqlite {
  readonly engine: 'sqlite'
  readonly port: MessagePort
  /**
   * Two BigInt64: the number of the last committed change, and 1 while deleted material is not
   * scrubbed.
   */
  readonly epoch: SharedArrayBuffer
}

export interface OwnedSqlite extends Database {
  readonly share: () => SharedSqlite
  readonly snapshot: () => Promise<Snapshot>
}

/** Index of the flag for unscrubbed material, after the change number. */
const unscrubbed = 1

/** Long for a transaction, which sends its statements one right after another. */
const leaseMsDefault = 10_000
const checkpointMsDefault = 10_000

/**
 * Opens or creates the database.
 * @throws {DatabaseInUse} if another process has the file open
 * @throws {DatabaseTooNew} if a later version of Trent wrote it
 * @throws {SchemaChanged} if its tables, indexes, triggers or views are not the ones that Trent
 * created
 */
export async function openSqliteDatabase(settings: SqliteSettings): Promise<OwnedSqlite> {
  const { path, leaseMs = leaseMsDefault, checkpointMs = checkpointMsDefault, onFailure } = settings
  const epoch = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
  // An earlier process may have ended before it scrubbed.
  unscrubbedIn(epoch, unscrubbed).raise()
  const thread = createThread<StoreThreadQuestions>({
    program: new URL('sqlite-thread.ts', import.meta.url),
    name: 'store',
    data: { path, epoch, leaseMs, checkpointMs } satisfies StoreThreadSettings,
    failures: sqliteFailures,
    onEnd: ({ cause }) => onFailure?.(new Error('the store thread ended', { cause })),
  })
  await thread.ask('open', undefined).catch(async (error: unknown) => {
    await thread.end()
    throw error instanceof ThreadEnded ? new DatabaseFailed('the store thread ended') : error
  })
  const share = (): SharedSqlite => {
    const { port1, port2 } = new MessageChannel()
    // If the thread has ended, so has the port.
    thread.ask('attach', port1, { transfer: [port1] }).catch(() => port1.close())
    return { engine: 'sqlite', port: port2, epoch }
  }
  let closing: Promise<void> | undefined
  const database = attachSqliteDatabase(share())
  const close = async (): Promise<void> => {
    await database.close()
    try {
      await thread.ask('close', undefined)
    } catch (error) {
      // A thread that ended has reported its own failure.
      if (!(error instanceof ThreadEnded)) throw error
    } finally {
      await thread.end()
    }
  }
  const snapshot = async (): Promise<Snapshot> => {
    const copy = copyOf(path)
    deleteDatabase(copy)
    try {
      await thread.ask('copy', copy)
      const copied = await openSqliteDatabase({ path: copy })
      const closeCopy = (): Promise<void> => copied.close().finally(() => deleteDatabase(copy))
      return { query: copied.query, close: closeCopy }
    } catch (error) {
      deleteDatabase(copy)
      throw error instanceof ThreadEnded ? new DatabaseFailed('the store thread ended') : error
    }
  }
  const owned = { ...database, share, snapshot, close: () => (closing ??= close()) }
  try {
    // A process that died may have left a copy, with materials that were deleted since.
    deleteDatabase(copyOf(path))
    await requireExpectedSchema(owned.query)
    await migrate(owned.query, owned.engine)
  } catch (error) {
    await owned.close()
    throw error
  }
  return owned
}

/** A copy of the database, next to it. It holds the same wrapped keys. */
function copyOf(path: string): string {
  return `${path}-copy`
}

function deleteDatabase(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    rmSync(file, { force: true })
  }
}

/** Uses a database that another thread opened. Closing it does not close that one. */
export function attachSqliteDatabase(
  { port, epoch }: SharedSqlite,
  onFailure: (error: Error) => void = () => {},
): Database {
  const numbers = new BigInt64Array(epoch)
  const client = connectSqlite(port, onFailure)
  return {
    engine: 'sqlite',
    query: new Kysely<Schema>({ dialect: sqliteDialect(client) }),
    epoch: () => Number(Atomics.load(numbers, 0)),
    freshness: alwaysFresh,
    alone: (work) => work(),
    unscrubbed: unscrubbedIn(epoch, unscrubbed),
    close: () => Promise.resolve(client.close()),
  }
}
