/** Jobs that go through what something is due to: keys, their materials. @module */
import type { Job } from '../jobs/jobs.ts'
import type { KeyRecord } from '../model/key.ts'
import { StaleRow, type DuePage, type Transaction } from '../store/store.ts'
import type { ServiceEvent } from '../model/service-event.ts'

/** How many are acted on at once: their records share the journal's writes. */
const batchMax = 25

/** How many failures of a batch are logged: what ails one key may ail them all, every second. */
const toldMax = 3

/**
 * Goes through what is due, page by page. What fails keeps nothing else waiting: the job goes on behind it,
 * and comes back to it when it has been through all.
 */
export function dueJob<T = KeyRecord>(
  name: string,
  of: {
    readonly list: (page: DuePage<T>) => Promise<readonly T[]>
    /** It cannot be undone: not by a clock that nobody vouches for. */
    readonly irreversible?: true
    readonly act: (due: T, now: number, signal: AbortSignal) => Promise<void>
    /** After a page in which anything was done. */
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
      // Somebody else has changed the key meanwhile: it is looked at again.
      const failed = failures.filter((failure) => !(failure instanceof StaleRow))
      if (failed.length > 0) {
        const told = failed.slice(0, toldMax)
        throw new AggregateError(told, `${failed.length} are left for the next look`)
      }
      return after !== undefined
    },
  }
}

/** Decides on the key as it is in the transaction; what was seen before may be gone. */
export async function onPresent(
  transaction: Transaction,
  seen: KeyRecord,
  act: (key: KeyRecord) => Promise<ServiceEvent | readonly ServiceEvent[] | undefined>,
): Promise<readonly ServiceEvent[]> {
  const { accountId, region, keyId } = seen
  const key = await transaction.findKey({ accountId, region, keyId })
  // A key of the same id, made anew in between, is another one.
  const events = key?.createdAt === seen.createdAt ? await act(key) : undefined
  return events === undefined ? [] : [events].flat()
}
