/** Reads what a start compares with the journal, before it opens the database. @module */
import type { StoredState } from '../offline.ts'
import { parseDatabaseUrl } from './database-url.ts'
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

async function readState(session: PostgresSession): Promise<StoredState> {
  const rowsOf = async (statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await session.run(statement, [])).rows
  const [table] = await rowsOf("SELECT to_regclass('public.deployment') IS NOT NULL AS present")
  if (table?.['present'] !== true) return { kind: 'empty' }
  const [deployment] = await rowsOf('SELECT deployment_id FROM deployment')
  if (deployment === undefined) return { kind: 'unfinished' }
  const [head] = await rowsOf('SELECT seq FROM change_head WHERE id = 1')
  const writers = await rowsOf('SELECT stream, checkpoint, signature FROM audit_writers')
  return {
    kind: 'deployment',
    deploymentId: String(deployment['deployment_id']),
    changes: Number(head?.['seq'] ?? 0),
    checkpoints: writers.flatMap(({ stream, checkpoint: text, signature }) =>
      typeof stream === 'string' && typeof text === 'string' && signature instanceof Uint8Array
        ? [{ stream, text, signature }]
        : [],
    ),
  }
}
