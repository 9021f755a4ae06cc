/**
 * The one material of an imported key that waits for a rotation. For a multi-Region key, each Region
 * imports it separately, and the key can rotate to it when all Regions have it.
 *
 * INVARIANT (related keys agree): the material waits in all Regions in the same state, or in none.
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

/** Far more than an imported key can have, because each rotation is on demand. */
const importedMaterialsMax = 1000

/** All materials of an imported key, in order. */
export function importedMaterialsOf(
  store: Pick<StoreReads, 'listMaterialStates'>,
  key: KeyRecord,
): Promise<readonly MaterialStateRecord[]> {
  return store.listMaterialStates(key, { limit: importedMaterialsMax })
}

/** The waiting material, whether or not the key can rotate to it; undefined when none waits. */
export async function waitingMaterialOf(
  store: Pick<StoreReads, 'listMaterialStates'>,
  key: KeyRecord,
): Promise<MaterialStateRecord | undefined> {
  const materials = await importedMaterialsOf(store, key)
  return materials.find((material) => !isNeeded(material))
}

/** Announces material that is new to a primary key in its replicas, for them to import. */
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

/**
 * Removes the waiting material from a primary key's replicas: without the primary's, no key could
 * rotate to it.
 */
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

/** Copies a primary key's description of a material to its replicas. */
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
 * Updates in all Regions whether the waiting material can be rotated to. The caller changes `key`'s own
 * row afterwards. A started rotation continues, whatever happens to the waiting material.
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
