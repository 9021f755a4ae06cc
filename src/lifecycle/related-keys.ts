/**
 * Multi-Region keys: a primary key and its replicas have one id and the same materials, and share the
 * columns in `SharedChanges`. Every key's row holds those columns, so that no Region needs another
 * Region's row.
 *
 * INVARIANT (related keys agree): shared columns change in all rows in one transaction. Adding or
 * deleting a replica also writes the primary key's row, so of two at once, one is decided again.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
 * @module
 */
import { isPrimary, type KeyRecord, type KeyRef } from '../model/key.ts'
import type { MaterialStateRecord, NewMaterialState } from '../model/key-material.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { StoreReads, Transaction } from '../store/store.ts'
import type { KeyChanges } from '../store/tables/key-rows.ts'

type SharedChanges = Pick<
  KeyChanges,
  'primaryRegion' | 'rotationPeriodDays' | 'nextRotationAt' | 'onDemandRotationStartedAt'
>

const sharedNames = [
  'accountId',
  'keyId',
  'spec',
  'usage',
  'origin',
  'manager',
  'primaryRegion',
  'currentMaterialId',
  'rotationPeriodDays',
  'nextRotationAt',
  'onDemandRotationStartedAt',
] as const

type Shared = Pick<KeyRecord, (typeof sharedNames)[number]>

/** The columns that a replica copies from its primary key. */
export function sharedOf(primary: KeyRecord): Shared {
  const present = sharedNames.filter((name) => primary[name] !== undefined)
  return Object.fromEntries(present.map((name) => [name, primary[name]])) as Shared // each has its own type
}

/** Materials read at once. */
const materialsPage = 100

/**
 * Copies the states of the primary key's materials to a replica; imported ones still have to be
 * imported there.
 */
export async function copyMaterialStates(
  transaction: Transaction,
  primary: KeyRef,
  { region }: KeyRef,
): Promise<void> {
  let after = '0'
  for (;;) {
    const page = await transaction.listMaterialStates(primary, { after, limit: materialsPage })
    for (const material of page) {
      await transaction.insertMaterialState({ ...withoutImport(material), region })
      after = String(material.ordinal)
    }
    if (page.length < materialsPage) return
  }
}

function withoutImport(material: MaterialStateRecord): NewMaterialState {
  const { accountId, region, keyId, materialId, ordinal, state, description } = material
  const { importState, rotationType, rotatedAt } = material
  return {
    accountId,
    region,
    keyId,
    materialId,
    ordinal,
    state,
    ...(importState !== undefined && { importState: 'PENDING_IMPORT' as const }),
    ...(description !== undefined && { description }),
    ...(rotationType !== undefined && { rotationType }),
    ...(rotatedAt !== undefined && { rotatedAt }),
  }
}

type RelatedReads = Pick<StoreReads, 'listRelatedKeys'>

/** The replicas of a primary key, by Region; none for other keys. */
export async function replicasOf(
  store: RelatedReads,
  key: KeyRecord,
): Promise<readonly KeyRecord[]> {
  if (!isPrimary(key)) return []
  const related = await store.listRelatedKeys(key)
  return related.filter(({ region }) => region !== key.region)
}

/** Changes a key and its replicas. Returns the events to record. @throws {StaleRow} */
export async function updateShared(
  transaction: Transaction,
  key: KeyRecord,
  changes: SharedChanges,
): Promise<readonly ServiceEvent[]> {
  const replicas = await replicasOf(transaction, key)
  await transaction.updateKey(key, changes)
  for (const replica of replicas) {
    await transaction.updateKey(replica, changes)
  }
  return replicas.length === 0 ? [] : [synchronized(key)]
}

/** The event at the primary key when its replicas receive shared columns. */
export function synchronized(primary: KeyRef): ServiceEvent {
  return { eventName: 'SynchronizeMultiRegionKey', key: primary, answersArn: true }
}

/** Called when a replica is gone: after the last one, the primary key's waiting period begins. */
export async function releasePrimary(
  transaction: Transaction,
  replica: KeyRecord,
  now: number,
): Promise<void> {
  const related = await transaction.listRelatedKeys(replica)
  const primary = related.find(isPrimary)
  if (primary === undefined) return
  const { state, pendingWindowDays = 0 } = primary
  const begins = state === 'PendingReplicaDeletion' && related.length === 1
  const deletionDate = now + pendingWindowDays * dayMs
  await transaction.updateKey(primary, begins ? { state: 'PendingDeletion', deletionDate } : {})
}

const dayMs = 86_400_000
