/**
 * Opens a database in PostgreSQL: checks its schema, migrates it, and gives each thread a pool of
 * its own. Several nodes may have it open.
 *
 * INVARIANT (one change at a time): a transaction begins by locking the row of `change_head`, so
 * that it sees everything that has committed, and nothing else can commit before it ends. The store
 * relies on this as it does on SQLite's single writer.
 * @module
 */
import { Kysely } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { isNodeId, isRetired } from '../../model/node.ts'
import { ChangesRefused, type Database, type Snapshot, TransactionConflict } from '../database.ts'
import { migrate } from '../migrations.ts'
import type { Schema } from '../schema/schema.ts'
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts'
import { OutcomeUnknown } from './postgres-failure.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { Pool, type PoolSettings } from './postgres-pool.ts'
import { openSnapshot } from './read-postgres.ts'
import type { Head } from '../history.ts'
import { catchUp, logOf, logStatement } from './history-queries.ts'
import { openFollowing, type Following } from './following.ts'
import { alone, holdNodeLock } from './node-lock.ts'
import { createNotifier } from './notifier.ts'
import { requirePostgresSchema } from './postgres-schema.ts'
import {
  type Mark,
  openSession,
  type PostgresSession,
  type SessionSettings,
  type Unanswered,
} from './postgres-session.ts'
import { unscrubbedIn } from '../unscrubbed.ts'
import { headMemory, headOf, SharedHead, type HeadRules } from './shared-head.ts'
import { deleteOldSessions, hasCommitted, sessionsTable } from './settle.ts'

/** What another thread needs to use the database. */
export interface SharedPostgres {
  readonly engine: 'postgresql'
  readonly url: string
  readonly nodeId?: string
  readonly rules: HeadRules
  /** See `SharedHead`. */
  readonly head: SharedArrayBuffer
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
  // Without one, a start or a command ends at once.
  primaryMaxMs: 0,
  sessionAgeMaxMs: 10 * 60_000,
  withBegin: '',
  withCommit: 'SELECT seq, change_id FROM change_head WHERE id = 1',
}

/**
 * INVARIANT (fenced): a statement sees what committed before it began, and a transaction that retires the
 * node holds the same lock. So no change of a retired node commits after that.
 */
function withBegin(nodeId: string | undefined): string {
  const lock = 'SELECT seq, change_id FROM change_head WHERE id = 1 FOR UPDATE'
  if (nodeId === undefined) return lock
  if (!isNodeId(nodeId)) throw new Error('not the id of a node') // it becomes a part of the statement
  const state = `(SELECT state FROM nodes WHERE node_id = '${nodeId}') AS node_state`
  return `${lock}; SELECT seq, change_id, ${state} FROM change_head WHERE id = 1`
}

/** A planned change of the primary takes a few seconds, and no call has to fail meanwhile. */
const primaryMaxMs = 8000

/** How long a caller waits for the outcome of its change: about as long as a failover. */
const settleMaxMs = 30_000
const settleAgainMs = 500

export interface PostgresSettings {
  readonly url: string
  /** The node that uses the database. Only a test, or a command that ends soon, has none. */
  readonly nodeId?: string | undefined
  /** Default: 5000. */
  readonly freshnessMs?: number | undefined
  readonly requireSynchronous?: boolean | undefined
  /** Called once if another process is this node. The database can then no longer be used. */
  readonly onFailure?: ((error: Error) => void) | undefined
}

export const freshnessMsDefault = 5000

export interface OwnedPostgres extends Database {
  readonly share: () => SharedPostgres
  readonly snapshot: () => Promise<Snapshot>
  readonly following: Following
}

/**
 * Opens or creates the database.
 * @throws {DatabaseInUse} if another process is this node
 * @throws {DatabaseUnreachable} if no primary can be reached
 * @throws {SchemaChanged} @throws {DatabaseTooNew}
 */
export async function openPostgres(of: PostgresSettings): Promise<OwnedPostgres> {
  const { url, nodeId, freshnessMs = freshnessMsDefault, onFailure = () => {} } = of
  const address = parseDatabaseUrl(url)
  const open = (): Promise<PostgresSession> => openSession(address, { ...settings, ...withoutHead })
  const lock = nodeId === undefined ? undefined : await holdNodeLock(open, nodeId, onFailure)
  const rules = { freshnessMs, requireSynchronous: of.requireSynchronous ?? false }
  const memory = headMemory()
  const head = new SharedHead(memory, rules)
  try {
    await alone(open, () => prepare(address))
    const unscrubbed = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
    // An earlier process may have ended before it scrubbed.
    unscrubbedIn(unscrubbed, 0).raise()
    const shared: SharedPostgres = {
      engine: 'postgresql',
      url,
      rules,
      head: memory,
      unscrubbed,
      ...(nodeId !== undefined && { nodeId }),
    }
    const database = attachPostgres(shared, onFailure)
    try {
      const row = await database.query
        .selectFrom('change_head')
        .select(['seq', 'change_id'])
        .executeTakeFirstOrThrow()
      head.raise(headOf(row))
    } catch (error) {
      await database.close()
      throw error
    }
    const following = openFollowing(address, head, rules)
    const close = async (): Promise<void> => {
      following.close()
      await database.close()
      await lock?.release()
    }
    return {
      ...database,
      share: () => shared,
      following,
      snapshot: () => openSnapshot(address),
      close,
    }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

/** Checks and migrates the schema. */
async function prepare(address: DatabaseAddress): Promise<void> {
  const plain = { ...settings, ...withoutHead, statementMaxMs: 10 * 60_000, sessionsMax: 1 }
  const pool = new Pool(address, plain)
  const query = new Kysely<Schema>({
    dialect: postgresDialect(pool, {
      begin: async (session) => void (await session.begin()),
      commit: async (session) => void (await session.commit()),
    }),
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

/**
 * Uses a database that this process has opened.
 * @param onFailure called once if the outcome of a change stays unknown. Caches and the outbox can
 * then only follow the database by a new start.
 */
export function attachPostgres(
  { url, nodeId, head: memory, rules, unscrubbed }: SharedPostgres,
  onFailure: (error: Error) => void,
): Database {
  const address = parseDatabaseUrl(url)
  const head = new SharedHead(memory, rules)
  const patience = nodeId === undefined ? {} : { primaryMaxMs }
  const pool = new Pool(address, { ...settings, ...patience, withBegin: withBegin(nodeId) })
  const notifier = createNotifier(pool)
  const settling = new Settling(address, head)
  /** The number of the head when the session's transaction began. */
  const begunAt = new WeakMap<PostgresSession, number>()
  const begin = async (session: PostgresSession): Promise<void> => {
    if (nodeId !== undefined) await head.untilChangeable(primaryMaxMs)
    const { rows } = await session.begin()
    // A command holds nothing in memory that could be out of date.
    if (nodeId === undefined) return
    const found = headOf(rows[0])
    begunAt.set(session, found.seq)
    try {
      if (isRetired(String(rows[0]?.['node_state'])))
        throw new ChangesRefused('this node was retired')
      await requireSameHistory(session, head, found)
    } catch (error) {
      await session.rollback()
      throw error
    }
  }
  const commit = async (session: PostgresSession): Promise<void> => {
    const { rows } = await session.commit()
    const reached = headOf(rows[0])
    head.raise(reached)
    // Another thread may have taken the number in already.
    if (head.hasOthers && reached.seq !== begunAt.get(session)) notifier.notify()
  }
  const settle = async (unanswered: Unanswered): Promise<void> => {
    await settling.settle(unanswered).catch((failure: unknown) => {
      if (failure instanceof OutcomeUnknown) onFailure(failure)
      throw failure
    })
  }
  return {
    engine: 'postgresql',
    query: new Kysely<Schema>({ dialect: postgresDialect(pool, { begin, commit, settle }) }),
    epoch: () => head.seq,
    freshness: head,
    ...(nodeId !== undefined && { nodeId }),
    alone: (work) => alone(() => openSession(address, { ...settings, ...withoutHead }), work),
    unscrubbed: unscrubbedIn(unscrubbed, 0),
    async close() {
      settling.close()
      pool.close()
    },
  }
}

/**
 * Compares what this node has applied with the database, which cannot change until the transaction ends.
 * Nothing is asked while the last change is the one that this node knows.
 * @throws {ChangesRefused} if the database lacks a change that this node has applied
 */
async function requireSameHistory(
  session: PostgresSession,
  head: SharedHead,
  found: Head,
): Promise<void> {
  // Read after BEGIN: a change that a thread of this node takes in now has committed before it.
  const known = head.known
  if (known.seq === found.seq && known.changeId === found.changeId) return
  const { rows } = await session.run(logStatement, [known.seq])
  head.takeIn(known, { head: found, ...logOf(rows[0]) })
}

/** Finds the outcomes of COMMITs without an answer. */
class Settling {
  readonly #address: DatabaseAddress
  readonly #head: SharedHead
  #isClosed = false

  constructor(address: DatabaseAddress, head: SharedHead) {
    this.#address = address
    this.#head = head
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
      await catchUp(session, this.#head)
      return isCommitted
    } finally {
      session.destroy()
    }
  }
}
