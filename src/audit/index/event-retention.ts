/** Jobs that delete events which are too old for LookupEvents, and old counts. @module */
import type { Job } from '../../jobs/jobs.ts'
import { eventHistoryMs } from '../../model/audit-event.ts'
import type { Store } from '../../store/store.ts'
import { dayOf } from './event-blocks.ts'

export function createEventRetention(store: Pick<Store, 'deleteEventsBefore'>): Job {
  return {
    name: 'delete events beyond the event history',
    // Otherwise, somebody who sets the clock ahead for a moment would lose the history: the journal may
    // no longer have it.
    irreversible: true,
    run: (now) => store.deleteEventsBefore(dayOf(now - eventHistoryMs)),
  }
}

/** The job that deletes figures of usage and metrics after their retention. */
export function createCountRetention(store: Pick<Store, 'deleteOldCounts'>): Job {
  return {
    name: 'delete old figures of usage',
    irreversible: true,
    run: (now) => store.deleteOldCounts(now),
  }
}
