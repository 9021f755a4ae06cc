/**
 * Destroys keys in HSMs on which no KMS key relies: those that a crash left behind while they were made, and
 * those of deleted KMS keys. An HSM that is away is tried again for as long as its key store exists.
 *
 * INVARIANT (nothing in use is destroyed): a note names each object before it is made, and goes with the
 * transaction that creates its KMS key. Only an object with a note in the phase `destroying` is destroyed.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { HsmKeyStores } from '../keystores/hsm/hsm.ts'
import type { HsmObject } from '../model/hsm-object.ts'
import type { KeyRecord } from '../model/key.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { Store, Transaction } from '../store/store.ts'
import { backingKeysOf } from './backing-keys.ts'
import { dueJob } from './due-job.ts'

export interface HsmObjectJobsDependencies {
  readonly store: Pick<Store, 'listHsmObjects' | 'claimHsmObject' | 'dropHsmObject'>
  readonly hsmKeyStores: Pick<HsmKeyStores, 'destroy'>
}

/** Whether the key in the HSM is gone. */
export interface DestructionEnd {
  readonly materialId: string
  readonly deletionStatus: 'SUCCESS' | 'FAILURE'
}

/** A call that creates a key takes a fraction of this, in milliseconds. */
const madeWithinMs = 60_000
/** Objects that are looked at again after this time, in milliseconds: an HSM may be away for days. */
const retryMs = 60_000

export function createHsmObjectJobs({
  store,
  hsmKeyStores,
}: HsmObjectJobsDependencies): readonly Job[] {
  let nextAt = 0
  const job = dueJob<HsmObject>('destroy unused keys in HSMs', {
    list: ({ dueBy, ...page }) => store.listHsmObjects({ ...page, dueBy: dueBy - madeWithinMs }),
    irreversible: true,
    async act(object) {
      if (object.phase === 'making' && !(await store.claimHsmObject(object))) return
      if (await hsmKeyStores.destroy(object)) await store.dropHsmObject(object)
    },
  })
  return [
    {
      ...job,
      async run(now, signal) {
        if (now < nextAt && nextAt - now <= retryMs) return false
        const isMore = await job.run(now, signal)
        if (!isMore) nextAt = now + retryMs
        return isMore
      },
    },
  ]
}

/** Notes that the key in the HSM is about to be destroyed. The record is there before the deed. */
export async function beginDestruction(
  transaction: Transaction,
  key: KeyRecord,
  now: number,
): Promise<ServiceEvent | undefined> {
  const { accountId, region, keyId, customKeyStoreId: storeId, currentMaterialId: materialId } = key
  if (storeId === undefined || materialId === undefined) return undefined
  const backing = await backingKeysOf(transaction, key)
  const place = { accountId, region, storeId, keyId, materialId }
  await transaction.insertHsmObject({ ...place, phase: 'destroying', since: now })
  return { eventName: 'DestroyBackingKeys', key, ...(backing && { additional: backing }) }
}

/** Destroys the key in the HSM that was noted. */
export async function destructionEnd(
  key: KeyRecord,
  hsmKeyStores: Pick<HsmKeyStores, 'destroy'>,
): Promise<DestructionEnd> {
  const { accountId, region, keyId, customKeyStoreId: storeId = '', currentMaterialId = '' } = key
  const object = { accountId, region, storeId, keyId, materialId: currentMaterialId }
  const isGone = await hsmKeyStores.destroy(object)
  return { materialId: currentMaterialId, deletionStatus: isGone ? 'SUCCESS' : 'FAILURE' }
}
