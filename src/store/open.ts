/**
 * Opens the embedded database: starts the store thread, connects to it and migrates the schema.
 * Worker threads connect to the same store thread with the result of `share`.
 * @module
 */
import { Kysely } from 'kysely'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Database, DatabaseFailed } from './database.ts'
import { requireExpectedSchema } from './verify/expected-schema.ts'
import { migrate } from './migrations.ts'
import type { Schema } from './schema/schema.ts'
import { connectSqlite, errorOf } from './sqlite/sqlite-client.ts'
import { sqliteDialect } from './sqlite/sqlite-dialect.ts'
import type {
  StoreThreadNotice,
  StoreThreadOrder,
  StoreThreadSettings,
} from './sqlite/sqlite-protocol.ts'

export interface OpenSettings {
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
export interface SharedDatabase {
  readonly port: MessagePort
  /**
   * Two BigInt64: the number of the last committed change, and 1 while deleted material is not
   * scrubbed.
   */
  readonly epoch: SharedArrayBuffer
}

export interface OwnedDatabase extends Database {
  readonly share: () => SharedDatabase
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
export async function openDatabase(settings: OpenSettings): Promise<OwnedDatabase> {
  const { path, leaseMs = leaseMsDefault, checkpointMs = checkpointMsDefault, onFailure } = settings
  const epoch = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
  // An earlier process may have ended before it scrubbed.
  Atomics.store(new BigInt64Array(epoch), unscrubbed, 1n)
  const thread = await startThread({ path, epoch, leaseMs, checkpointMs })
  const share = (): SharedDatabase => {
    const { port1, port2 } = new MessageChannel()
    order(thread, { kind: 'attach', port: port1 }, [port1])
    return { port: port2, epoch }
  }
  let cause: unknown
  thread.on('error', (error) => {
    cause = error
  })
  let closing: Promise<void> | undefined
  const database = attachDatabase(share(), (failure) => {
    // The thread's own error arrives when it has ended; its ports may close before.
    const report = (): void => onFailure?.(new Error(failure.message, { cause }))
    if (thread.threadId === -1) report()
    else thread.once('exit', report)
  })
  const owned = {
    ...database,
    share,
    close: () => (closing ??= database.close().then(() => stopThread(thread))),
  }
  try {
    await requireExpectedSchema(owned.query)
    await migrate(owned.query, owned.engine)
  } catch (error) {
    await owned.close()
    throw error
  }
  return owned
}

/** Uses a database that another thread opened. Closing it does not close that one. */
export function attachDatabase(
  { port, epoch }: SharedDatabase,
  onFailure: (error: Error) => void = () => {},
): Database {
  const numbers = new BigInt64Array(epoch)
  const client = connectSqlite(port, onFailure)
  return {
    engine: 'sqlite',
    query: new Kysely<Schema>({ dialect: sqliteDialect(client) }),
    epoch: () => Number(Atomics.load(numbers, 0)),
    unscrubbed: {
      raise: () => void Atomics.store(numbers, unscrubbed, 1n),
      take: () => Atomics.exchange(numbers, unscrubbed, 0n) === 1n,
    },
    close: () => Promise.resolve(client.close()),
  }
}

function startThread(settings: StoreThreadSettings): Promise<Worker> {
  const thread = new Worker(new URL('sqlite/sqlite-thread.ts', import.meta.url), {
    name: 'trent store',
    workerData: settings,
  })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', () => reject(new DatabaseFailed('the store thread ended')))
    thread.once('message', (notice: StoreThreadNotice) => {
      thread.removeAllListeners()
      if (notice.kind === 'open') return resolve(thread)
      if (notice.kind === 'refused') return reject(errorOf(notice.failure))
      return reject(new DatabaseFailed('the store thread ended'))
    })
  })
}

/** Resolves when the log is copied into the database file and the thread has ended. */
function stopThread(thread: Worker): Promise<void> {
  if (thread.threadId === -1) return Promise.resolve()
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', () => resolve())
    order(thread, { kind: 'close' })
  })
}

function order(thread: Worker, message: StoreThreadOrder, transfer: MessagePort[] = []): void {
  thread.postMessage(message, transfer)
}
