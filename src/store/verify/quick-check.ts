/**
 * Checks the database's pages in the background of a server that has just started: whether each
 * table and its indexes are readable and consistent. `trent verify-database` checks row tags and
 * references.
 * @see https://www.sqlite.org/pragma.html#pragma_quick_check
 * @module
 */
import { sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database.ts'

export interface QuickCheck {
  /** Starts the check. Further calls do nothing. */
  readonly begin: () => void
  /** The problems found so far. */
  readonly problems: () => readonly string[]
  /** Whether every table has been checked. */
  readonly isDone: () => boolean
  /** Resolves when the check is done, stopped or skipped. */
  readonly close: () => Promise<void>
}

export interface QuickCheckOptions {
  /**
   * Largest file to check: calls wait while a table is checked, about 3 ms for each MB of the file.
   */
  readonly bytesMax?: number
  /** Pause after each table, in milliseconds, in which calls have the database to themselves. */
  readonly pauseMs?: number
  /** Called for each damaged table. */
  readonly onProblems: (problems: readonly string[]) => void
  /** Called if the file is larger than `bytesMax`, or if the check itself failed. */
  readonly onLeftOut: (why: string) => void
}

const bytesMaxDefault = 128 * 1024 * 1024
const pauseMsDefault = 50
/** Most problems kept for each table; SQLite reports up to 100. */
const problemsMax = 20

export function createQuickCheck(
  { query, engine }: Pick<Database, 'query' | 'engine'>,
  options: QuickCheckOptions,
): QuickCheck {
  const { bytesMax = bytesMaxDefault, pauseMs = pauseMsDefault, onProblems, onLeftOut } = options
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  const found: string[] = []
  let isDone = false

  async function run(): Promise<void> {
    if (engine !== 'sqlite') return onLeftOut('its server checks a database in PostgreSQL')
    const size = await sql<{ readonly bytes: number }>`
      SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size`.execute(
      query,
    )
    if ((size.rows[0]?.bytes ?? 0) > bytesMax) {
      return onLeftOut('the database is too large for a check at the start')
    }
    const tables = await sql<{ readonly name: string }>`
      SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`.execute(query)
    for (const { name } of tables.rows) {
      if (stopping.signal.aborted) return undefined
      const { rows } = await sql<{ readonly quick_check: string }>`
        PRAGMA quick_check(${sql.id(name)})`.execute(query)
      const problems = rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
      if (problems.length > 0) onProblems(problems.slice(0, problemsMax))
      found.push(...problems.slice(0, problemsMax))
      await sleep(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(
        () => undefined,
      )
    }
    isDone = true
    return undefined
  }

  return {
    begin() {
      running ??= run().catch((error: unknown) => {
        if (!stopping.signal.aborted) onLeftOut(error instanceof Error ? error.message : 'unknown')
      })
    },
    problems: () => found,
    isDone: () => isDone,
    async close() {
      stopping.abort()
      await running
    },
  }
}
