/**
 * The jobs that rotate keys: automatic rotations that are due, and rotations on demand that were
 * started.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { KeyStore } from '../keystores/keystore.ts'
import { isReplica, type KeyRecord, type MaterialRecord } from '../model/key.ts'
import { isRotationDue, nextRotationAfter, rotationScheduleOf } from '../model/rotation.ts'
import type { Store } from '../store/store.ts'
import { dueJob, onPresent } from './due-job.ts'
import { updateShared } from './related-keys.ts'
import { rotateToNew, rotateToPending } from './rotate-key.ts'
import type { ServiceChanges } from './service-changes.ts'

export interface RotationJobsDependencies {
  readonly store: Pick<Store, 'listKeysToRotate' | 'listStartedRotations'>
  readonly changes: ServiceChanges
  readonly keyStoreOf: (key: Pick<KeyRecord, 'origin'>) => Pick<KeyStore, 'createMaterial'>
  readonly clock: { readonly now: () => number }
}

/**
 * How long a rotation on demand is shown in progress, in milliseconds. At AWS it takes minutes, and
 * clients that wait for its end must see its beginning.
 */
const inProgressMs = 250

export function createRotationJobs(dependencies: RotationJobsDependencies): readonly Job[] {
  const { store } = dependencies
  return [
    dueJob('rotate keys on demand', {
      // If the clock was set back, they began in its future: they are finished at once.
      list: (page) => store.listStartedRotations({ ...page, dueBy: Number.MAX_SAFE_INTEGER }),
      act: (key, now, signal) => finishOnDemand(dependencies, key, now, signal),
    }),
    dueJob('rotate keys automatically', {
      list: (page) => store.listKeysToRotate(page),
      act: (key, now, signal) => rotateAutomatically(dependencies, key, now, signal),
    }),
  ]
}

async function rotateAutomatically(
  dependencies: RotationJobsDependencies,
  seen: KeyRecord,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  if (!isRotationDue(seen, now)) return
  const material = await newMaterial(dependencies, seen, now, signal)
  await dependencies.changes.commit((transaction) =>
    onPresent(transaction, seen, async (key) => {
      const schedule = rotationScheduleOf(key)
      if (schedule === undefined || !isRotationDue(key, now)) return undefined
      const nextRotationAt = nextRotationAfter(schedule, now)
      const changes = { rotationPeriodDays: schedule.periodDays, nextRotationAt }
      return rotateToNew(transaction, key, material, { type: 'AUTOMATIC', at: now, changes })
    }),
  )
}

async function finishOnDemand(
  dependencies: RotationJobsDependencies,
  seen: KeyRecord,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = seen.onDemandRotationStartedAt ?? now
  if (startedAt <= now && now - startedAt < inProgressMs) return
  const material =
    seen.origin === 'AWS_KMS' ? await newMaterial(dependencies, seen, now, signal) : undefined
  await dependencies.changes.commit((transaction) =>
    onPresent(transaction, seen, async (key) => {
      if (key.onDemandRotationStartedAt === undefined || isReplica(key)) return undefined
      const changes = { onDemandRotationStartedAt: undefined }
      const rotation = { type: 'ON_DEMAND', at: now, changes } as const
      if (material !== undefined) return rotateToNew(transaction, key, material, rotation)
      const events = await rotateToPending(transaction, key, rotation)
      // The waiting material was deleted meanwhile: the rotation ends without it.
      return events ?? (await updateShared(transaction, key, changes))
    }),
  )
}

function newMaterial(
  { keyStoreOf }: RotationJobsDependencies,
  key: KeyRecord,
  createdAt: number,
  signal: AbortSignal,
): Promise<MaterialRecord> {
  const { accountId, region, keyId, spec, usage, origin } = key
  const place = { accountId, region, keyId, spec, usage, origin, createdAt }
  return keyStoreOf(key).createMaterial(place, signal)
}
