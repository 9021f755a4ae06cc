/**
 * The lock by which one node at a time uses a database. Several nodes would have to follow each
 * other's changes, and this version does not do that yet.
 *
 * The lock belongs to a session. If that breaks, the node takes the lock again with another one, and
 * ends if another node was faster.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseInUse } from '../database.ts'
import type { PostgresSession } from './postgres-session.ts'

/** The number of the lock. No other program may use the database. */
const nodeLock = 7_236_001
const probeMs = 2000
const againMs = 250

/** Another node uses the database. */
export class OtherNode extends DatabaseInUse {}

export interface NodeLock {
  readonly release: () => Promise<void>
}

/**
 * @param onLost called once if another node has the lock
 * @throws {OtherNode} if another node has it already
 */
export async function holdNodeLock(
  open: () => Promise<PostgresSession>,
  onLost: (error: Error) => void,
): Promise<NodeLock> {
  let session = await takeLock(open)
  const released = new AbortController()
  const { signal } = released
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(session.isEnded ? againMs : probeMs, undefined, { ref: false, signal })
      try {
        // A session whose connection is cut ends when this has no answer.
        if (!session.isEnded) await session.run('SELECT 1', [])
        else session = await takeLock(open)
        if (signal.aborted) session.destroy()
      } catch (error) {
        if (error instanceof OtherNode) return onLost(error)
      }
    }
  }
  keep().catch(() => {}) // only the wait is rejected, by the release
  return {
    async release() {
      released.abort()
      // The next node need not wait until the server notices that the connection is closed.
      await session.run('SELECT pg_advisory_unlock($1)', [nodeLock]).catch(() => undefined)
      session.destroy()
    },
  }
}

async function takeLock(open: () => Promise<PostgresSession>): Promise<PostgresSession> {
  const session = await open()
  try {
    const { rows } = await session.run('SELECT pg_try_advisory_lock($1) AS taken', [nodeLock])
    if (rows[0]?.['taken'] !== true) {
      throw new OtherNode('another node uses the database, and this version serves with one node')
    }
    return session
  } catch (error) {
    session.destroy()
    throw error
  }
}
