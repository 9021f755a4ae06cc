/**
 * The one material of an imported key that waits for a rotation. Of a multi-Region key each Region imports
 * it for itself: it can be rotated to when all of them have.
 *
 * INVARIANT (related keys agree): it waits in all Regions in the same state, or in none.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-import.html
 * @module
 */
import type { KeyRecord } from '../model/key.ts'
import {
  isNeeded,
  type KeyMaterialState,
  type MaterialStateRecord,
  type NewMaterialState,
} from '../model/key-material.ts'
import type { StoreReads, Transaction } from '../store/store.ts'
import { replicasOf } from './related-keys.ts'

/** Far more than a key of imported material can have: each of its rotations is on demand. */
const importedMaterialsMax = 1000

/** All materials of an imported key, in their order. */
export function importedMaterialsOf(
  store: Pick<StoreReads, 'listMaterialStates'>,
  key: KeyRecord,
): Promise<readonly MaterialStateRecord[]> {
  return store.listMaterialStates(key, { limit: importedMaterialsMax })
}

/** Whether or not it can be rotated to; undefined when none waits. */
export async function waitingMaterialOf(
  store: Pick<StoreReads, 'listMaterialStates'>,
  key: KeyRecord,
): Promise<MaterialStateRecord | undefined> {
  const materials = await importedMaterialsOf(store, key)
  return materials.find((material) => !isNeeded(material))
}

/** Has material that is new to a primary key wait in its replicas too, for them to import. */
export async function announce(
  transaction: Transaction,
  key: KeyRecord,
  material: NewMaterialState,
): Promise<void> {
  const { materialId, description, state } = material
  for (const replica of await replicasOf(transaction, key)) {
    const last = (await importedMaterialsOf(transaction, replica)).at(-1)
    const { accountId, region, keyId } = replica
    await transaction.insertMaterialState({
      accountId,
      region,
      keyId,
      materialId,
      ordinal: (last?.ordinal ?? 0) + 1,
      state,
      importState: 'PENDING_IMPORT',
      ...(description !== undefined && { description }),
    })
    await transaction.updateKey(replica, {})
  }
}

/** Takes what waits away from a primary key's replicas: with the primary, nothing could rotate to it. */
export async function withdraw(
  transaction: Transaction,
  key: KeyRecord,
  { materialId }: MaterialStateRecord,
): Promise<void> {
  for (const replica of await replicasOf(transaction, key)) {
    const waiting = await waitingMaterialOf(transaction, replica)
    if (waiting?.materialId !== materialId) continue
    await transaction.deleteMaterialState(waiting)
    await transaction.updateKey(replica, {})
  }
}

/** What a primary key says of a material, its replicas say too. */
export async function describeEverywhere(
  transaction: Transaction,
  key: KeyRecord,
  materialId: string,
  description: string,
): Promise<void> {
  for (const replica of await replicasOf(transaction, key)) {
    const { accountId, region, keyId } = replica
    const known = await transaction.findMaterialState({ accountId, region, keyId, materialId })
    if (known === undefined) continue
    await transaction.updateMaterialState(known, { description })
    await transaction.updateKey(replica, {})
  }
}

/**
 * Says anew in all Regions whether what waits can be rotated to. The caller changes `key`'s own row behind
 * it; a rotation that has been started goes on whatever becomes of what it waits for.
 */
export async function settleWaiting(transaction: Transaction, key: KeyRecord): Promise<void> {
  if (key.origin !== 'EXTERNAL' || key.primaryRegion === undefined) return
  if (key.onDemandRotationStartedAt !== undefined) return
  const related = await transaction.listRelatedKeys(key)
  const found = await Promise.all(
    related.map(async (each) => ({ each, waiting: await waitingMaterialOf(transaction, each) })),
  )
  const ready = found.every(({ waiting }) => waiting?.importState === 'IMPORTED')
  const state: KeyMaterialState = ready
    ? 'PENDING_ROTATION'
    : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  for (const { each, waiting } of found) {
    if (waiting === undefined || waiting.state === state) continue
    await transaction.updateMaterialState(waiting, { state })
    if (each.region !== key.region) await transaction.updateKey(each, {})
  }
}
