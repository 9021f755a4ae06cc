/**
 * Rotation: another material becomes the key's current one. Earlier materials stay, to decrypt what was
 * encrypted under them.
 *
 * INVARIANT (one transaction): the new material, the state of each material, the key's row and the
 * record of the event commit together. A process that dies leaves the key either unchanged or rotated.
 * INVARIANT (replicas before use): replicas are rotated in the same transaction, so that every Region
 * can decrypt what another one encrypts.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
 * @module
 */
import type { KeyRecord, MaterialRecord } from '../model/key.ts'
import { type MaterialStateRecord, type RotationType } from '../model/key-material.ts'
import { replicasOf, synchronized } from './related-keys.ts'
import type { Transaction } from '../store/store.ts'
import type { KeyChanges } from '../store/tables/key-rows.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import { settleKey } from './imported-materials.ts'
import { waitingMaterialOf } from './waiting-material.ts'

export interface Rotation {
  readonly type: RotationType
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Other changes of the key: its schedule, its progress. */
  readonly changes: KeyChanges
}

/** Makes newly generated material the current one, in every Region. @throws {StaleRow} */
export async function rotateToNew(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialRecord,
  { type, at, changes }: Rotation,
): Promise<readonly ServiceEvent[]> {
  const replicas = await replicasOf(transaction, key)
  const { materialId } = material
  await transaction.insertMaterial(material)
  for (const each of [key, ...replicas]) {
    const { accountId, region, keyId } = each
    const previous = await retireCurrent(transaction, each)
    await transaction.insertMaterialState({
      accountId,
      region,
      keyId,
      materialId,
      ordinal: previous.ordinal + 1,
      state: 'CURRENT',
      rotationType: type,
      rotatedAt: at,
    })
    await transaction.updateKey(each, { ...changes, currentMaterialId: materialId })
  }
  return rotationEvents(key, replicas, type, materialId)
}

/**
 * Makes the waiting imported material the current one in every Region. In a Region where it has expired
 * meanwhile, the key is then pending import. Returns undefined and changes nothing if no material
 * waits.
 * @throws {StaleRow}
 */
export async function rotateToPending(
  transaction: Transaction,
  key: KeyRecord,
  { type, at, changes }: Rotation,
): Promise<readonly ServiceEvent[] | undefined> {
  const pending = await waitingMaterialOf(transaction, key)
  if (pending?.state !== 'PENDING_ROTATION') return undefined
  const replicas = await replicasOf(transaction, key)
  const { materialId } = pending
  for (const each of [key, ...replicas]) {
    const previous = await retireCurrent(transaction, each)
    const current = { state: 'CURRENT', rotationType: type, rotatedAt: at } as const
    const { accountId, region, keyId } = each
    const place = { accountId, region, keyId, materialId }
    const waiting = await transaction.findMaterialState(place)
    if (waiting !== undefined) await transaction.updateMaterialState(waiting, current)
    else {
      // This Region never imported it.
      const ordinal = previous.ordinal + 1
      const lacking = { ...place, ordinal, importState: 'PENDING_IMPORT', ...current } as const
      await transaction.insertMaterialState(lacking)
    }
    await settleKey(transaction, each, { ...changes, currentMaterialId: materialId })
  }
  return rotationEvents(key, replicas, type, materialId)
}

async function retireCurrent(
  transaction: Transaction,
  key: KeyRecord,
): Promise<Pick<MaterialStateRecord, 'ordinal'>> {
  const { accountId, region, keyId, currentMaterialId: materialId } = key
  const current =
    materialId === undefined
      ? undefined
      : await transaction.findMaterialState({ accountId, region, keyId, materialId })
  // The row was deleted or forged, so decide nothing.
  if (current === undefined) throw new Error(`the current material of key ${keyId} has no row`)
  return transaction.updateMaterialState(current, { state: 'NON_CURRENT' })
}

function rotationEvents(
  key: KeyRecord,
  replicas: readonly KeyRecord[],
  type: RotationType,
  materialId: string,
): readonly ServiceEvent[] {
  const rotated: ServiceEvent = {
    eventName: 'RotateKey',
    key,
    details: {
      rotationType: type,
      keyOrigin: key.origin,
      previousKeyMaterialId: key.currentMaterialId,
      currentKeyMaterialId: materialId,
      keyId: key.keyId,
    },
  }
  return replicas.length === 0 ? [rotated] : [synchronized(key), rotated]
}
