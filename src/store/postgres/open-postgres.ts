/**
 * Opens a database in PostgreSQL: checks its schema, migrates it, and gives each thread a pool of
 * its own.
 *
 * INVARIANT (one change at a time): a transaction begins by locking the row of `change_head`, so
 * that it sees everything that has committed, and nothing else can commit before it ends. The store
 * relies on this as it does on SQLite's single writer.
 * @module
 */
import { Kysely, sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, DatabaseFailed, type Snapshot, TransactionConflict } from '../database.ts'
import { migrate } from '../migrations.ts'
import type { Schema } from '../schema/schema.ts'
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts'
import { OutcomeUnknown } from './postgres-failure.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { Pool, type PoolSettings } from './postgres-pool.ts'
import { holdNodeLock } from './node-lock.ts'
import { requirePostgresSchema } from './postgres-schema.ts'
import {
  type Mark,
  openSession,
  type PostgresSession,
  type SessionSettings,
  Unanswered,
} from './postgres-session.ts'
import { unscrubbedIn } from '../unscrubbed.ts'
import { deleteOldSessions, hasCommitted, sessionsTable } from './settle.ts'

/** What another thread needs to use the database. */
export interface SharedPostgres {
  readonly engine: 'postgresql'
  readonly url: string
  /** Two BigInt64, of which the first is the number of the last committed change. */
  readonly epoch: SharedArrayBuffer
  /** One BigInt64: see `unscrubbedIn`. */
  readonly unscrubbed: SharedArrayBuffer
}

const withoutHead = { withBegin: '', withCommit: '' } as const

/** Long enough for a failover to be noticed, short enough for a caller to try again. */
const settings: PoolSettings = {
  connectMaxMs: 5000,
  statementMaxMs: 30_000,
  commitMaxMs: 10_000,
  lockMaxMs: 10_000,
  leaseMs: 10_000,
  sessionsMax: 8,
  waitMaxMs: 10_000,
  sessionAgeMaxMs: 10 * 60_000,
  withBegin: 'SELECT seq FROM change_head WHERE id = 1 FOR UPDATE',
  withCommit: 'SELECT seq FROM change_head WHERE id = 1',
}

/** How long a caller waits for the outcome of its change: about as long as a failover. */
const settleMaxMs = 30_000
const settleAgainMs = 500

export interface PostgresSettings {
  readonly url: string
  /** Called once if another node has taken the database. It can then no longer be used. */
  readonly onFailure?: ((error: Error) => void) | undefined
}

export interface OwnedPostgres extends Database {
  readonly share: () => SharedPostgres
  readonly snapshot: () => Promise<Snapshot>
}

/**
 * Opens or creates the database.
 * @throws {DatabaseInUse} if another node uses it
 * @throws {DatabaseUnreachable} if no primary can be reached
 * @throws {SchemaChanged} @throws {DatabaseTooNew}
 */
export async function openPostgres({
  url,
  onFailure = () => {},
}: PostgresSettings): Promise<OwnedPostgres> {
  const address = parseDatabaseUrl(url)
  const plain = { ...settings, ...withoutHead }
  const lock = await holdNodeLock(() => openSession(address, plain), onFailure)
  const epoch = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
  try {
    await prepare(address)
    const unscrubbed = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
    // An earlier process may have ended before it scrubbed.
    unscrubbedIn(unscrubbed, 0).raise()
    const shared = { engine: 'postgresql', url, epoch, unscrubbed } as const
    const database = attachPostgres(shared, onFailure)
    const { seq } = await database.query
      .selectFrom('change_head')
      .select('seq')
      .executeTakeFirstOrThrow()
    raise(new BigInt64Array(epoch), seq)
    const close = async (): Promise<void> => {
      await database.close()
      await lock.release()
    }
    return { ...database, share: () => shared, snapshot: () => openSnapshot(address), close }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Checks and migrates the schema. */
async function prepare(address: DatabaseAddress): Promise<void> {
  const plain = { ...settings, ...withoutHead, statementMaxMs: 10 * 60_000, sessionsMax: 1 }
  const pool = new Pool(address, plain)
  const query = new Kysely<Schema>({
    dialect: postgresDialect(pool, async (session) => void (await session.commit())),
  })
  try {
    await requirePostgresSchema(query)
    const session = await pool.acquire()
    for (const statement of [sessionsTable, deleteOldSessions]) await session.run(statement, [])
    pool.release(session)
    await migrate(query, 'postgresql')
  } finally {
    pool.close()
  }
}

/** How long a reader of a snapshot may be busy with what it has read. */
const readingMaxMs = 10 * 60_000

/**
 * Holds one session, in one transaction that sees one moment. Such a reader blocks nobody, and nobody
 * blocks it. It does not begin as the store's transactions do, because those lock and write.
 */
async function openSnapshot(address: DatabaseAddress): Promise<Snapshot> {
  const pool = new Pool(address, {
    ...settings,
    ...withoutHead,
    sessionsMax: 1,
    sessionAgeMaxMs: Infinity,
    leaseMs: readingMaxMs,
  })
  const query = new Kysely<Schema>({ dialect: postgresDialect(pool, () => Promise.resolve()) })
  try {
    await sql`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`.execute(query)
    // The moment is that of the first statement.
    await query.selectFrom('change_head').select('seq').executeTakeFirstOrThrow()
    return { query, close: () => Promise.resolve(pool.close()) }
  } catch (error) {
    pool.close()
    throw error
  }
}

/**
 * Uses a database that this process has opened.
 * @param onFailure called once if the outcome of a change stays unknown. Caches and the outbox can
 * then only follow the database by a new start.
 */
export function attachPostgres(
  { url, epoch, unscrubbed }: SharedPostgres,
  onFailure: (error: Error) => void,
): Database {
  const address = parseDatabaseUrl(url)
  const numbers = new BigInt64Array(epoch)
  const pool = new Pool(address, settings)
  const settling = new Settling(address, (seq) => raise(numbers, seq))
  const commit = async (session: PostgresSession): Promise<void> => {
    try {
      const { rows } = await session.commit()
      raise(numbers, rows[0]?.['seq'])
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      await settling.settle(error).catch((failure: unknown) => {
        if (failure instanceof OutcomeUnknown) onFailure(failure)
        throw failure
      })
    }
  }
  return {
    engine: 'postgresql',
    query: new Kysely<Schema>({ dialect: postgresDialect(pool, commit) }),
    epoch: () => Number(Atomics.load(numbers, 0)),
    unscrubbed: unscrubbedIn(unscrubbed, 0),
    async close() {
      settling.close()
      pool.close()
    },
  }
}

/** Sets the number of the last change, unless another thread has set a later one. */
export function raise(numbers: BigInt64Array, seq: unknown): void {
  if (typeof seq !== 'number') throw new DatabaseFailed('the number of a change could not be read')
  for (;;) {
    const reached = Atomics.load(numbers, 0)
    if (reached >= BigInt(seq)) return
    if (Atomics.compareExchange(numbers, 0, reached, BigInt(seq)) === reached) return
  }
}

/** Finds the outcomes of COMMITs without an answer. */
class Settling {
  readonly #address: DatabaseAddress
  readonly #onHead: (seq: unknown) => void
  #isClosed = false

  constructor(address: DatabaseAddress, onHead: (seq: unknown) => void) {
    this.#address = address
    this.#onHead = onHead
  }

  close(): void {
    this.#isClosed = true
  }

  /**
   * Returns if the transaction committed.
   * @throws {TransactionConflict} if it certainly did not
   * @throws {OutcomeUnknown} if that is not known in time
   */
  async settle({ mark, message }: Unanswered): Promise<void> {
    const until = performance.now() + settleMaxMs
    while (!this.#isClosed && performance.now() < until) {
      // Its failures are those of a database that cannot be reached, or that another session locks.
      const isCommitted = await this.#ask(mark).catch(() => undefined)
      if (isCommitted === true) return
      if (isCommitted === false) throw new TransactionConflict(message)
      await sleep(settleAgainMs, undefined, { ref: false })
    }
    throw new OutcomeUnknown(message)
  }

  async #ask(mark: Mark): Promise<boolean> {
    const limits: SessionSettings = { ...settings, ...withoutHead, lockMaxMs: 2000 }
    const session = await openSession(this.#address, limits)
    try {
      const isCommitted = await hasCommitted(session, mark)
      const { rows } = await session.run('SELECT seq FROM change_head WHERE id = 1', [])
      this.#onHead(rows[0]?.['seq'])
      return isCommitted
    } finally {
      session.destroy()
    }
  }
}
