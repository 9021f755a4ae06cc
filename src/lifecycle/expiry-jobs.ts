/**
 * The job that deletes imported material when it expires. No call uses expired material, even before
 * the job runs (`keyAt`). The key is pending import until the same material is imported again.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/ct-deleteexpiredkeymaterial.html
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { MaterialStateRecord } from '../model/key-material.ts'
import type { Store, Transaction } from '../store/store.ts'
import { dueJob } from './due-job.ts'
import { expireMaterial } from './imported-materials.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { ServiceChanges } from './service-changes.ts'

export interface ExpiryJobsDependencies {
  readonly store: Pick<Store, 'listExpiredMaterials' | 'scrub'>
  readonly changes: ServiceChanges
}

export function createExpiryJobs({ store, changes }: ExpiryJobsDependencies): readonly Job[] {
  return [
    dueJob<MaterialStateRecord>('delete expired key material', {
      irreversible: true,
      list: (page) => store.listExpiredMaterials(page),
      act: (seen, now) => changes.commit((transaction) => expire(transaction, seen, now)),
      afterPage: () => store.scrub(),
    }),
  ]
}

/** Decides on what the transaction reads: the material may have been imported again, or be gone. */
async function expire(
  transaction: Transaction,
  seen: MaterialStateRecord,
  now: number,
): Promise<readonly ServiceEvent[]> {
  const material = await transaction.findMaterialState(seen)
  const key = await transaction.findKey(seen)
  if (key === undefined || (material?.validTo ?? Infinity) > now || material === undefined)
    return []
  await expireMaterial(transaction, key, material)
  const { keyId } = key
  const details = { keyId, keyMaterialId: material.materialId }
  return [{ eventName: 'DeleteExpiredKeyMaterial', key, details }]
}
