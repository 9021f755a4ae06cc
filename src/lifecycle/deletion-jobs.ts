/**
 * The job that deletes keys at the end of their waiting period.
 *
 * INVARIANT (gone): the key, its materials, grants, aliases, policy, tags and usage are deleted in one
 * transaction with the record of the service's event, and no call can use the key after it. The wrapped
 * material is then scrubbed from the database's files. An older copy of the database still holds it,
 * for anybody who has the root key. It is *shredded* once the seals that `trent status` names are gone.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import { isReplica } from '../model/key.ts'
import type { Store } from '../store/store.ts'
import { dueJob, onPresent } from './due-job.ts'
import { emptyMaterials } from './imported-materials.ts'
import { releasePrimary } from './related-keys.ts'
import type { ServiceChanges } from './service-changes.ts'
import { settleWaiting } from './waiting-material.ts'

export interface DeletionJobsDependencies {
  readonly store: Pick<Store, 'listKeysToDelete' | 'scrub'>
  readonly changes: ServiceChanges
}

export function createDeletionJobs({ store, changes }: DeletionJobsDependencies): readonly Job[] {
  return [
    {
      // Deleted by calls, and by an earlier process.
      name: 'scrub deleted material',
      run: async () => {
        await store.scrub()
        return false
      },
    },
    dueJob('delete keys', {
      irreversible: true,
      list: (page) => store.listKeysToDelete(page),
      act: (seen, now) =>
        changes.commit((transaction) =>
          onPresent(transaction, seen, async (key) => {
            const due = key.state === 'PendingDeletion' && (key.deletionDate ?? Infinity) <= now
            if (!due) return undefined
            await emptyMaterials(transaction, key)
            await transaction.deleteKey(key, now)
            await settleWaiting(transaction, key)
            if (isReplica(key)) await releasePrimary(transaction, key, now)
            return { eventName: 'DeleteKey', key, answersArn: true }
          }),
        ),
      afterPage: () => store.scrub(),
    }),
  ]
}
