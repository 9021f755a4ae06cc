/** Sessions with settings for tests. @module */
import type { TestContext } from 'node:test'
import { parseDatabaseUrl } from '../../../src/store/postgres/database-url.ts'
import {
  openSession,
  type PostgresSession,
  type SessionSettings,
} from '../../../src/store/postgres/postgres-session.ts'

export const sessionSettings: SessionSettings = {
  connectMaxMs: 5000,
  statementMaxMs: 10_000,
  commitMaxMs: 5000,
  lockMaxMs: 5000,
  leaseMs: 10_000,
  withBegin: '',
  withCommit: '',
}

/** Closed when the test ends. */
export async function openedSession(
  t: TestContext,
  url: string,
  settings: Partial<SessionSettings> = {},
): Promise<PostgresSession> {
  const session = await openSession(parseDatabaseUrl(url), { ...sessionSettings, ...settings })
  t.after(() => session.destroy())
  return session
}
