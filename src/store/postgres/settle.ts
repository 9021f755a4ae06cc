/** Finds out whether a transaction of unknown outcome has committed. @module */
import { randomBytes } from 'node:crypto'
import { OutcomeUnknown } from './postgres-failure.ts'
import type { Mark, PostgresSession } from './postgres-session.ts'

/**
 * Each session's row holds the id of the transaction that it last began. The table is logged: an
 * unlogged one would be empty on a promoted standby, which looks as if nothing had committed.
 */
export const sessionsTable = `CREATE TABLE IF NOT EXISTS database_sessions (
  session_id text COLLATE "C" PRIMARY KEY,
  change_id text COLLATE "C" NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now())`

/** Rows of sessions that ended without deleting theirs. No transaction lasts for a day. */
export const deleteOldSessions =
  "DELETE FROM database_sessions WHERE begun_at < now() - interval '1 day'"

/**
 * Asks the primary whether the marked transaction committed.
 *
 * PostgreSQL keeps the row of the old session locked until its transaction has ended, so this waits
 * for the end. Where the row does not exist, it inserts one, which waits too, and which makes the
 * old session fail if it still tries. On another server than the old one, nothing of the old session
 * can arrive any more. So the answer is final.
 *
 * It is also durable: this commits a write after it, which a synchronous standby acknowledges only
 * with everything before it.
 * @param session whose `begin` locks nothing that the old transaction may hold
 * @throws {OutcomeUnknown} if this does not commit either
 */
export async function hasCommitted(session: PostgresSession, mark: Mark): Promise<boolean> {
  await session.begin()
  const { rows } = await session.run(
    `INSERT INTO database_sessions AS one (session_id, change_id) VALUES ($1, $2)
      ON CONFLICT (session_id) DO UPDATE SET begun_at = now() RETURNING one.change_id`,
    [mark.sessionId, randomBytes(16).toString('hex')],
  )
  await session.commit()
  const [row] = rows
  if (row === undefined) throw new OutcomeUnknown('the row of a session could not be read')
  return row['change_id'] === mark.changeId
}
