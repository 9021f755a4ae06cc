/**
 * The job that ends the passing states of multi-Region keys, Creating and Updating. The work behind
 * them is done when they begin. At AWS it takes a while, and clients that wait for its end must see its
 * beginning.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { KeyRecord } from '../model/key.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { Store, Transaction } from '../store/store.ts'
import { dueJob, onPresent } from './due-job.ts'
import { transitionEnded } from './key-switches.ts'
import { synchronized } from './related-keys.ts'
import type { ServiceChanges } from './service-changes.ts'

export interface TransitionJobsDependencies {
  readonly store: Pick<Store, 'listTransitions'>
  readonly changes: ServiceChanges
}

/** The minimum time that such a state is shown, in milliseconds. */
const passingMs = 250

export function createTransitionJobs({
  store,
  changes,
}: TransitionJobsDependencies): readonly Job[] {
  return [
    dueJob('end the making of replicas and changes of primary keys', {
      // If the clock was set back, they began in its future: they are ended at once.
      list: (page) => store.listTransitions({ ...page, dueBy: Number.MAX_SAFE_INTEGER }),
      async act(seen, now) {
        const startedAt = seen.transitionStartedAt ?? now
        if (startedAt <= now && now - startedAt < passingMs) return
        await changes.commit((transaction) =>
          onPresent(transaction, seen, (key) => endTransition(transaction, key)),
        )
      },
    }),
  ]
}

async function endTransition(
  transaction: Transaction,
  key: KeyRecord,
): Promise<ServiceEvent | undefined> {
  if (key.transitionStartedAt === undefined) return undefined
  await transaction.updateKey(key, transitionEnded(key))
  const { accountId, keyId, primaryRegion = key.region } = key
  return key.state === 'Creating'
    ? synchronized({ accountId, region: primaryRegion, keyId })
    : undefined
}
