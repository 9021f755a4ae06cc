/** Checks the database: that it can be read, is Trent's, and belongs to the other files. @module */
import { Kysely, sql } from 'kysely'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { nodeFiles } from '../../disk/files.ts'
import { processTime } from '../../jobs/clock.ts'
import { offsetOf, type ClockOffset } from '../../jobs/clocks.ts'
import { checkFoundData } from '../../server/found-data.ts'
import { DatabaseFailed, type Engine } from '../../store/database.ts'
import { readStoredState } from '../../store/offline.ts'
import { readPostgresState } from '../../store/postgres/postgres-state.ts'
import { placeOf, readPostgres } from '../../store/postgres/read-postgres.ts'
import { openReadOnly, type SqliteConnection } from '../../store/sqlite/sqlite.ts'
import { sqliteDialect } from '../../store/sqlite/sqlite-dialect.ts'
import { failureOf as sqliteFailureOf } from '../../store/sqlite/sqlite-failure.ts'
import { inlineClient } from '../../store/sqlite/sqlite-inline.ts'
import { deploymentIn, type DeploymentRecord } from '../../store/tables/deployment.ts'
import type { Schema } from '../../store/schema/schema.ts'
import { requireSchema } from '../../store/verify/verify-structure.ts'
import { ok, skipped, type Outcome } from './finding.ts'
import type { Running } from './running.ts'

/** What other checks need of a database. */
export interface Stored {
  readonly deployment: DeploymentRecord
  /** The latest time at which anything was decided, in milliseconds since the epoch. */
  readonly clockMark?: number
  /** How far this machine's clock is ahead of the database's. */
  readonly offset?: ClockOffset
}

export interface DatabaseCheck {
  readonly outcomes: readonly Outcome[]
  /** Absent before the first start, or if it cannot be read. */
  readonly stored?: Stored
}

export async function checkDatabase(config: Config, running: Running): Promise<DatabaseCheck> {
  // The journal of a running server grows while it is compared.
  if (running.kind === 'stopped') await checkFoundData(config, nodeFiles)
  return config.databaseUrl === undefined
    ? checkFile(join(config.dataDirectory, 'trent.db'), running)
    : checkPostgres(config.databaseUrl)
}

async function checkPostgres(url: string): Promise<DatabaseCheck> {
  const place = placeOf(url)
  const { kind } = await readPostgresState(url)
  if (kind !== 'deployment') return nothingYet(place)
  return readPostgres(url, async (query) => {
    const before = processTime.system()
    const { rows } = await sql<{ readonly now: number }>`
      SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`.execute(query)
    const offset = offsetOf(before, Number(rows[0]?.now), processTime.system())
    const { outcomes, stored } = await checkSchema(place, query, 'postgresql')
    return { outcomes, ...(stored && { stored: { ...stored, offset } }) }
  })
}

async function checkFile(file: string, running: Running): Promise<DatabaseCheck> {
  if (running.kind === 'serving') {
    const { changes } = running.status
    return { outcomes: [ok(`the server has it open, with ${changes} changes`)] }
  }
  if (running.kind !== 'stopped') {
    return { outcomes: [skipped('the server has it open, and serves no calls')] }
  }
  const { kind } = readStoredState(file)
  if (kind !== 'deployment' && kind !== 'unreadable') return nothingYet(file)
  let connection: SqliteConnection | undefined
  try {
    connection = openReadOnly(file)
    const query = new Kysely<Schema>({ dialect: sqliteDialect(inlineClient(connection)) })
    return await checkSchema(file, query, 'sqlite')
  } catch (error) {
    if (!isSqliteError(error)) throw error
    const { kind: failure, message } = sqliteFailureOf(error)
    if (failure !== 'conflict') throw new DatabaseFailed(`${file}: ${message}`, { cause: error })
    const todo = 'end it: `fuser` shows its process'
    return { outcomes: [{ state: 'failed', found: `another process has ${file} open`, todo }] }
  } finally {
    connection?.close()
  }
}

function nothingYet(place: string): DatabaseCheck {
  return { outcomes: [ok(`${place} has no deployment yet; the first start makes it`)] }
}

async function checkSchema(
  place: string,
  query: Kysely<Schema>,
  engine: Engine,
): Promise<DatabaseCheck> {
  const findings = await requireSchema(query, engine)
  const deployment = await deploymentIn(query)
  const [mark] = await query.selectFrom('clock_mark').select('reached').execute()
  const outcomes: readonly Outcome[] =
    findings.length > 0
      ? findings.map(({ why }) => ({ state: 'warning', found: `${place}: ${why}` }))
      : [ok(`${place} can be read; \`trent verify-database\` checks every row`)]
  if (deployment === undefined) return { outcomes }
  return { outcomes, stored: { deployment, ...(mark && { clockMark: mark.reached }) } }
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error
}
