/**
 * The jobs that rotate keys: those whose time has come, and those whose rotation on demand was started.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { KeyStore } from '../keystores/keystore.ts'
import type { KeyRecord, MaterialRecord } from '../model/key.ts'
import { isRotationDue, nextRotationAfter, rotationScheduleOf } from '../model/rotation.ts'
import { StaleRow, type DuePage, type Store, type Transaction } from '../store/store.ts'
import { rotateToNew, rotateToPending } from './rotate-key.ts'
import type { ServiceChanges, ServiceEvent } from './service-changes.ts'

export interface RotationJobsPorts {
  readonly store: Pick<Store, 'listKeysToRotate' | 'listStartedRotations'>
  readonly changes: ServiceChanges
  readonly keyStoreOf: (key: Pick<KeyRecord, 'origin'>) => Pick<KeyStore, 'createMaterial'>
  readonly clock: { readonly now: () => number }
}

/** How many keys are rotated at once: their records share the journal's writes. */
const batchMax = 25

/** How many failures of a batch are logged: what ails one key may ail them all, every second. */
const toldMax = 3

/**
 * A rotation on demand is seen in progress for as long, in milliseconds: at AWS for minutes, and who
 * waits for its end has to see its beginning.
 */
const inProgressMs = 250

export function createRotationJobs(ports: RotationJobsPorts): readonly Job[] {
  const { store } = ports
  return [
    dueJob('rotate keys on demand', {
      // Those of a clock that was set back are in its future: they are finished at once.
      list: (page) => store.listStartedRotations({ ...page, dueBy: Number.MAX_SAFE_INTEGER }),
      act: (key, now, signal) => finishOnDemand(ports, key, now, signal),
    }),
    dueJob('rotate keys automatically', {
      list: (page) => store.listKeysToRotate(page),
      act: (key, now, signal) => rotateAutomatically(ports, key, now, signal),
    }),
  ]
}

/**
 * Goes through what is due, page by page. A key that fails keeps no other waiting: the job goes on behind
 * it, and comes back to it when it has been through all.
 */
function dueJob(
  name: string,
  of: {
    readonly list: (page: DuePage<KeyRecord>) => Promise<readonly KeyRecord[]>
    readonly act: (key: KeyRecord, now: number, signal: AbortSignal) => Promise<void>
  },
): Job {
  let after: KeyRecord | undefined
  return {
    name,
    async run(now, signal) {
      const page = await of.list({ dueBy: now, limit: batchMax, ...(after && { after }) })
      after = page.length < batchMax ? undefined : page.at(-1)
      const outcomes = await Promise.allSettled(page.map((key) => of.act(key, now, signal)))
      const failures = outcomes.flatMap(({ status, ...outcome }) =>
        status === 'rejected' && 'reason' in outcome ? [outcome.reason as unknown] : [],
      )
      // Somebody else has changed the key meanwhile: it is looked at again.
      const failed = failures.filter((failure) => !(failure instanceof StaleRow))
      if (failed.length > 0) {
        const told = failed.slice(0, toldMax)
        throw new AggregateError(told, `${failed.length} keys are not rotated yet`)
      }
      return after !== undefined
    },
  }
}

async function rotateAutomatically(
  ports: RotationJobsPorts,
  seen: KeyRecord,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  if (!isRotationDue(seen, now)) return
  const material = await newMaterial(ports, seen, now, signal)
  await ports.changes.commit((transaction) =>
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
  ports: RotationJobsPorts,
  seen: KeyRecord,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = seen.onDemandRotationStartedAt ?? now
  if (startedAt <= now && now - startedAt < inProgressMs) return
  const material =
    seen.origin === 'AWS_KMS' ? await newMaterial(ports, seen, now, signal) : undefined
  await ports.changes.commit((transaction) =>
    onPresent(transaction, seen, async (key) => {
      if (key.onDemandRotationStartedAt === undefined) return undefined
      const changes = { onDemandRotationStartedAt: undefined }
      const rotation = { type: 'ON_DEMAND', at: now, changes } as const
      if (material !== undefined) return rotateToNew(transaction, key, material, rotation)
      const event = await rotateToPending(transaction, key, rotation)
      // What waited was taken away meanwhile: the rotation ends without one.
      if (event === undefined) await transaction.updateKey(key, changes)
      return event
    }),
  )
}

function newMaterial(
  { keyStoreOf }: RotationJobsPorts,
  key: KeyRecord,
  createdAt: number,
  signal: AbortSignal,
): Promise<MaterialRecord> {
  const { accountId, region, keyId, spec, usage, origin } = key
  const place = { accountId, region, keyId, spec, usage, origin, createdAt }
  return keyStoreOf(key).createMaterial(place, signal)
}

/** Decides on the key as it is in the transaction; what was seen before may be gone. */
async function onPresent(
  transaction: Transaction,
  seen: KeyRecord,
  rotate: (key: KeyRecord) => Promise<ServiceEvent | undefined>,
): Promise<readonly ServiceEvent[]> {
  const { accountId, region, keyId } = seen
  const key = await transaction.findKey({ accountId, region, keyId })
  // A key of the same id, made anew in between, is another one.
  const event = key?.createdAt === seen.createdAt ? await rotate(key) : undefined
  return event === undefined ? [] : [event]
}
