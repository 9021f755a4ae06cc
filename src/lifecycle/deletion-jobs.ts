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
import type { HsmKeyStores } from '../keystores/hsm/hsm.ts'
import { backingKey } from '../model/backing-key.ts'
import { isReplica, type KeyRecord } from '../model/key.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { Store, Transaction } from '../store/store.ts'
import { backingKeysOf } from './backing-keys.ts'
import { dueJob, onPresent } from './due-job.ts'
import { beginDestruction, destructionEnd, type DestructionEnd } from './hsm-object-jobs.ts'
import { emptyMaterials } from './imported-materials.ts'
import { releasePrimary } from './related-keys.ts'
import type { ServiceChanges } from './service-changes.ts'
import { settleWaiting } from './waiting-material.ts'

export interface DeletionJobsDependencies {
  readonly store: Pick<Store, 'listKeysToDelete' | 'scrub'>
  readonly changes: ServiceChanges
  readonly hsmKeyStores: Pick<HsmKeyStores, 'destroy'>
}

export function createDeletionJobs({
  store,
  changes,
  hsmKeyStores,
}: DeletionJobsDependencies): readonly Job[] {
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
      async act(seen, now) {
        const end = await destroyBackingKey(seen, now, { changes, hsmKeyStores })
        await changes.commit((transaction) =>
          onPresent(transaction, seen, (key) => deleteDue(transaction, key, now, end)),
        )
      },
      afterPage: () => store.scrub(),
    }),
  ]
}

function isDue({ state, deletionDate = Infinity }: KeyRecord, now: number): boolean {
  return state === 'PendingDeletion' && deletionDate <= now
}

/**
 * Destroys the key in the HSM before the KMS key goes, so that its record can say whether that worked. From
 * the note on, nobody can cancel the deletion.
 * @returns undefined unless the key is in an HSM
 */
async function destroyBackingKey(
  seen: KeyRecord,
  now: number,
  { changes, hsmKeyStores }: Pick<DeletionJobsDependencies, 'changes' | 'hsmKeyStores'>,
): Promise<DestructionEnd | undefined> {
  if (seen.origin !== 'AWS_CLOUDHSM') return undefined
  let isNoted = false
  await changes.commit((transaction) =>
    onPresent(transaction, seen, async (key) => {
      isNoted = isDue(key, now)
      return isNoted ? beginDestruction(transaction, key, now) : undefined
    }),
  )
  return isNoted ? destructionEnd(seen, hsmKeyStores) : undefined
}

async function deleteDue(
  transaction: Transaction,
  key: KeyRecord,
  now: number,
  end: DestructionEnd | undefined,
): Promise<ServiceEvent | undefined> {
  if (!isDue(key, now)) return undefined
  const backing = await backingKeysOf(transaction, key)
  await emptyMaterials(transaction, key)
  await transaction.deleteKey(key, now)
  await settleWaiting(transaction, key)
  if (isReplica(key)) await releasePrimary(transaction, key, now)
  const event = { eventName: 'DeleteKey', key, answersArn: true } as const
  if (backing === undefined || end === undefined) return event
  const { materialId, deletionStatus } = end
  // A failure leaves the note, and the job of such notes tries again once the HSM is back.
  if (deletionStatus === 'SUCCESS') {
    await transaction.deleteHsmObject({ materialId, phase: 'destroying' })
  }
  return { ...event, additional: { ...backing, backingKeysDeletionStatus: statusOf(end) } }
}

function statusOf({ materialId, deletionStatus }: DestructionEnd): string {
  return JSON.stringify([{ ...backingKey({ materialId }), deletionStatus }])
}
