/** Reads what a start compares with the journal, before it opens the database. @module */
import {
  headStatement,
  sealsStatement,
  stateWithoutDeployment,
  storedState,
  writersStatement,
  type StoredState,
} from '../offline.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { historyStatements, storedHistory, type StoredHistory } from '../stored-history.ts'
import { openSession, type PostgresSession } from './postgres-session.ts'

const limits = {
  connectMaxMs: 5000,
  statementMaxMs: 10_000,
  commitMaxMs: 10_000,
  lockMaxMs: 10_000,
  leaseMs: 10_000,
  withBegin: '',
  withCommit: '',
} as const

/** Changes nothing, and checks no row tags. @throws {DatabaseUnreachable} */
export async function readPostgresState(url: string): Promise<StoredState> {
  const session = await openSession(parseDatabaseUrl(url), limits)
  try {
    return await readState(session)
  } finally {
    session.destroy()
  }
}

/** @param from the first number whose id is read @throws {DatabaseUnreachable} */
export async function readPostgresHistory(url: string, from: number): Promise<StoredHistory> {
  const session = await openSession(parseDatabaseUrl(url), limits)
  const rowsOf = async (statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await session.run(statement, [])).rows
  try {
    const { heads, firsts, log, accepted } = historyStatements(from)
    return storedHistory({
      heads: await rowsOf(heads),
      firsts: await rowsOf(firsts),
      log: await rowsOf(log),
      accepted: await rowsOf(accepted),
    })
  } finally {
    session.destroy()
  }
}

/**
 * The state in the row of a node; undefined without a row. Checks no row tag.
 * @throws {DatabaseUnreachable}
 */
export async function readNodeState(url: string, nodeId: string): Promise<string | undefined> {
  const session = await openSession(parseDatabaseUrl(url), limits)
  try {
    const { rows } = await session.run('SELECT state FROM nodes WHERE node_id = $1', [nodeId])
    return rows[0] && String(rows[0]['state'])
  } finally {
    session.destroy()
  }
}

async function readState(session: PostgresSession): Promise<StoredState> {
  const rowsOf = async (statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await session.run(statement, [])).rows
  const [table] = await rowsOf("SELECT to_regclass('public.deployment') IS NOT NULL AS present")
  if (table?.['present'] !== true) return { kind: 'empty' }
  const [deployment] = await rowsOf('SELECT deployment_id FROM deployment')
  if (deployment === undefined) return stateWithoutDeployment(await rowsOf(sealsStatement))
  return storedState(deployment, {
    heads: await rowsOf(headStatement),
    writers: await rowsOf(writersStatement),
  })
}
