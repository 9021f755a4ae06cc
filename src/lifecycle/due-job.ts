/** Jobs that go through everything that is due: keys or their materials. @module */
import type { Job } from '../jobs/jobs.ts'
import type { KeyRecord } from '../model/key.ts'
import { StaleRow, type Transaction } from '../store/store.ts'
import type { DuePage } from '../store/page.ts'
import type { ServiceEvent } from '../model/service-event.ts'

/** Rows handled at once: their records share the journal's writes. */
const batchMax = 25

/** Failures of a batch that are logged: one cause may affect every key, every second. */
const loggedMax = 3

/**
 * Makes a job that goes through everything that is due, page by page. A failure does not delay the
 * rest: the job continues behind it, and retries it after it has been through all.
 */
export function dueJob<T = KeyRecord>(
  name: string,
  of: {
    readonly list: (page: DuePage<T>) => Promise<readonly T[]>
    /** The job cannot be undone, so it must not rely on a clock that no operator has confirmed. */
    readonly irreversible?: true
    readonly act: (due: T, now: number, signal: AbortSignal) => Promise<void>
    /** Runs after each page in which something was done. */
    readonly afterPage?: () => Promise<void>
  },
): Job {
  let after: T | undefined
  return {
    name,
    ...(of.irreversible && { irreversible: true }),
    async run(now, signal) {
      const page = await of.list({ dueBy: now, limit: batchMax, ...(after && { after }) })
      after = page.length < batchMax ? undefined : page.at(-1)
      const outcomes = await Promise.allSettled(page.map((due) => of.act(due, now, signal)))
      if (outcomes.some(({ status }) => status === 'fulfilled')) await of.afterPage?.()
      const failures = outcomes.flatMap(({ status, ...outcome }) =>
        status === 'rejected' && 'reason' in outcome ? [outcome.reason as unknown] : [],
      )
      // Another transaction has changed the key meanwhile; it is tried again.
      const failed = failures.filter((failure) => !(failure instanceof StaleRow))
      if (failed.length > 0) {
        const logged = failed.slice(0, loggedMax)
        throw new AggregateError(logged, `${failed.length} are left for the next round`)
      }
      return after !== undefined
    },
  }
}

/** Decides on the key as the transaction reads it; it may be gone meanwhile. */
export async function onPresent(
  transaction: Transaction,
  seen: KeyRecord,
  act: (key: KeyRecord) => Promise<ServiceEvent | readonly ServiceEvent[] | undefined>,
): Promise<readonly ServiceEvent[]> {
  const { accountId, region, keyId } = seen
  const key = await transaction.findKey({ accountId, region, keyId })
  // A key that was created anew with the same id is a different key.
  const events = key?.createdAt === seen.createdAt ? await act(key) : undefined
  return events === undefined ? [] : [events].flat()
}
