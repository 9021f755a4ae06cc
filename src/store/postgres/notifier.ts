/**
 * Tells other nodes that something has changed, after the commit and outside of its transaction: inside, it
 * would make changes wait for each other longer. A node that misses it finds the change by its next
 * confirmation.
 * @module
 */
import { onceMore } from './once-more.ts'
import type { Pool } from './postgres-pool.ts'

export const changesChannel = 'trent_changes'

export interface Notifier {
  /** Returns at once. One notification covers all changes of a moment. */
  readonly notify: () => void
}

export function createNotifier(pool: Pool): Notifier {
  return {
    notify: onceMore(async () => {
      const session = await pool.acquire()
      try {
        await session.run(`SELECT pg_notify('${changesChannel}', '')`, [])
      } finally {
        pool.release(session)
      }
    }),
  }
}
