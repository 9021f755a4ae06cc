/** The job that takes events from the index that are older than LookupEvents answers. @module */
import type { Job } from '../../jobs/jobs.ts'
import { eventHistoryMs } from '../../model/audit-event.ts'
import type { Store } from '../../store/store.ts'
import { dayOf } from './event-blocks.ts'

export function createEventRetention(store: Pick<Store, 'deleteEventsBefore'>): Job {
  return {
    name: 'forget events beyond the event history',
    // Whoever sets the clock ahead for a moment does not lose the history: the journal may be gone by then.
    irreversible: true,
    run: (now) => store.deleteEventsBefore(dayOf(now - eventHistoryMs)),
  }
}

/** The job that takes figures of usage and metrics away that have been kept long enough. */
export function createCountRetention(store: Pick<Store, 'deleteOldCounts'>): Job {
  return {
    name: 'forget figures of usage that are old',
    irreversible: true,
    run: (now) => store.deleteOldCounts(now),
  }
}
