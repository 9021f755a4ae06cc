/**
 * Tells other nodes that something has changed, after the commit and outside of its transaction: inside, it
 * would make changes wait for each other longer. A node that misses it finds the change by its next
 * confirmation.
 * @module
 */
import type { Pool } from './postgres-pool.ts'

export const changesChannel = 'trent_changes'

export interface Notifier {
  /** Returns at once. One notification covers all changes of a moment. */
  readonly notify: () => void
}

export function createNotifier(pool: Pool): Notifier {
  let isBusy = false
  let again = false
  const send = async (): Promise<void> => {
    do {
      again = false
      const session = await pool.acquire()
      try {
        await session.run(`SELECT pg_notify('${changesChannel}', '')`, [])
      } finally {
        pool.release(session)
      }
    } while (again)
  }
  return {
    notify() {
      again = true
      if (isBusy) return
      isBusy = true
      send()
        .catch(() => {}) // the next confirmation of each node finds the change
        .finally(() => {
          isBusy = false
        })
    },
  }
}
