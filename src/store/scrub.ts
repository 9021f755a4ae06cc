/** Removes the bytes of deleted rows from the files of a database. @module */
import { sql } from 'kysely'
import { type Database, type Engine, TransactionConflict } from './database.ts'

/** The tables with sealed keys and wrapped material. */
const secretTables = ['key_materials', 'seals', 'other_seals', 'domain_keys'] as const

/** Rewriting a larger table would hold its readers up for more than about a second. */
const rewrittenMax = 64 * 1024 * 1024
/** Calls wait behind a statement that waits for a table. */
const lockMaxMs = 500

/** @returns false if that was not possible at this moment: the next call scrubs */
export function scrub(database: Database): Promise<boolean> {
  return scrubs[database.engine](database)
}

const scrubs: Readonly<Record<Engine, (database: Database) => Promise<boolean>>> = {
  /**
   * `secure_delete` overwrites deleted bytes in the file, but the log holds them until it is cut. It
   * cannot be cut while the database is being copied.
   */
  async sqlite({ query }) {
    const { rows } = await sql<{ readonly busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(
      query,
    )
    return rows[0]?.busy === 0
  },
  postgresql: ({ query }) =>
    rewriteTables(query).then(
      () => true,
      (error: unknown) => {
        if (error instanceof TransactionConflict) return false
        throw error
      },
    ),
}

/**
 * VACUUM leaves deleted bytes in the free space of pages. VACUUM FULL writes a new file without them,
 * and deletes the old one. A table that is too large for that is only vacuumed, so that its free space
 * is used again (docs/operations/postgresql.md).
 */
async function rewriteTables(query: Database['query']): Promise<void> {
  await query.connection().execute(async (one) => {
    await sql.raw(`SET lock_timeout = ${lockMaxMs}`).execute(one)
    try {
      for (const table of secretTables) {
        const { rows } = await sql<{ readonly bytes: number }>`
          SELECT pg_total_relation_size(${table}::regclass) AS bytes`.execute(one)
        const isSmall = (rows[0]?.bytes ?? 0) <= rewrittenMax
        await sql.raw(`VACUUM ${isSmall ? '(FULL) ' : ''}${table}`).execute(one)
      }
    } finally {
      // The session's own limit, which its connection has set.
      await sql`RESET lock_timeout`.execute(one)
    }
  })
}
