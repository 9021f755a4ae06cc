/** Reads a database in PostgreSQL from one snapshot, while servers may use it. @module */
import { Kysely, sql } from 'kysely'
import type { Snapshot } from '../database.ts'
import type { Schema } from '../schema/schema.ts'
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts'
import { noTransactions, postgresDialect } from './postgres-dialect.ts'
import { Pool } from './postgres-pool.ts'

/** For a statement, and for the reader between two of them. */
const longMs = 30 * 60_000

/** One session: every query then runs in the transaction that it is in. */
const settings = {
  connectMaxMs: 5000,
  statementMaxMs: longMs,
  commitMaxMs: longMs,
  lockMaxMs: 10_000,
  leaseMs: longMs,
  sessionsMax: 1,
  waitMaxMs: longMs,
  primaryMaxMs: 0,
  sessionAgeMaxMs: Number.POSITIVE_INFINITY,
  withBegin: '',
  withCommit: '',
} as const

/**
 * Holds one session, in one transaction that sees one moment. Such a reader blocks nobody, and nobody
 * blocks it. The query cannot begin a transaction, because it is in one: the store's transactions lock and
 * write.
 * @throws {DatabaseUnreachable}
 */
export async function openSnapshot(address: DatabaseAddress): Promise<Snapshot> {
  const pool = new Pool(address, settings)
  const query = new Kysely<Schema>({ dialect: postgresDialect(pool, noTransactions) })
  try {
    await sql`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`.execute(query)
    // The moment is that of the first statement.
    await sql`SELECT 1`.execute(query)
    return { query, close: () => Promise.resolve(pool.close()) }
  } catch (error) {
    pool.close()
    throw error
  }
}

/** Reads everything from one snapshot. Changes nothing. @throws {DatabaseUnreachable} */
export async function readPostgres<T>(
  url: string,
  read: (query: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const snapshot = await openSnapshot(parseDatabaseUrl(url))
  try {
    return await read(snapshot.query)
  } finally {
    await snapshot.close()
  }
}

/** The place of a database, without the password: `postgres://host:5432/name`. */
export function placeOf(url: string): string {
  const { hosts, database } = parseDatabaseUrl(url)
  return `postgres://${hosts.map(({ host, port }) => `${host}:${port}`).join()}/${database}`
}
