/** Reads a database in PostgreSQL from outside the server. @module */
import { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { noTransactions, postgresDialect } from './postgres-dialect.ts'
import { Pool } from './postgres-pool.ts'

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
  sessionAgeMaxMs: Number.POSITIVE_INFINITY,
  withBegin: '',
  withCommit: '',
} as const

/**
 * Reads everything from one snapshot, while servers may use the database. Changes nothing. The query
 * cannot begin a transaction, because it is in one.
 * @throws {DatabaseUnreachable}
 */
export async function readPostgres<T>(
  url: string,
  read: (query: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const pool = new Pool(parseDatabaseUrl(url), settings)
  try {
    const session = await pool.acquire()
    await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', [])
    pool.release(session)
    return await read(new Kysely<Schema>({ dialect: postgresDialect(pool, noTransactions) }))
  } finally {
    pool.close()
  }
}

/** The place of a database, without the password: `postgres://host:5432/name`. */
export function placeOf(url: string): string {
  const { hosts, database } = parseDatabaseUrl(url)
  return `postgres://${hosts.map(({ host, port }) => `${host}:${port}`).join()}/${database}`
}
