/**
 * Locks that nodes of one database take from each other.
 *
 * Each node holds one of its own for as long as it runs, so that two processes never write the same
 * streams of the journal, for example after a data directory was copied. The lock belongs to a
 * session. If that breaks, the node takes the lock again with another one, and ends if somebody was
 * faster.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseInUse } from '../database.ts'
import type { PostgresSession } from './postgres-session.ts'

/** The number of the lock that a start takes. No other program may use the database. */
const startLock = 7_236_001
const probeMs = 2000
const againMs = 250

/** Another process is this node. */
export class OtherNode extends DatabaseInUse {}

export interface NodeLock {
  readonly release: () => Promise<void>
}

/**
 * @param onLost called once if another process has the lock
 * @throws {OtherNode} if another process has it already
 */
export async function holdNodeLock(
  open: () => Promise<PostgresSession>,
  nodeId: string,
  onLost: (error: Error) => void,
): Promise<NodeLock> {
  const lock = BigInt.asIntN(64, BigInt(`0x${nodeId}`))
  let session = await takeLock(open, lock)
  const released = new AbortController()
  const { signal } = released
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(session.isEnded ? againMs : probeMs, undefined, { ref: false, signal })
      try {
        // A session whose connection is cut ends when this has no answer.
        if (!session.isEnded) await session.run('SELECT 1', [])
        else session = await takeLock(open, lock)
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
      await session.run('SELECT pg_advisory_unlock($1)', [lock]).catch(() => undefined)
      session.destroy()
    },
  }
}

/** Runs `work` while no other node of the database runs its own. */
export async function alone<T>(
  open: () => Promise<PostgresSession>,
  work: () => Promise<T>,
): Promise<T> {
  const session = await open()
  try {
    while (!(await isTaken(session, BigInt(startLock)))) await sleep(againMs)
    return await work()
  } finally {
    session.destroy()
  }
}

async function isTaken(session: PostgresSession, lock: bigint): Promise<boolean> {
  const { rows } = await session.run('SELECT pg_try_advisory_lock($1) AS taken', [lock])
  return rows[0]?.['taken'] === true
}

async function takeLock(
  open: () => Promise<PostgresSession>,
  lock: bigint,
): Promise<PostgresSession> {
  const session = await open()
  try {
    if (!(await isTaken(session, lock))) {
      throw new OtherNode(
        'another process with this node id uses the database: a data directory belongs to one node',
      )
    }
    return session
  } catch (error) {
    session.destroy()
    throw error
  }
}
