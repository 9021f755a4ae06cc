/**
 * Uploads files to the archive, in order for each trail, and notifies the webhook. If a bucket refuses,
 * only its trail waits, longer after each attempt; other trails continue.
 * @module
 */
import type { DeliveryFigures, DeliveryFile } from '../../model/delivery.ts'
import { trailText } from '../../model/delivery.ts'
import type { Clock } from '../../model/clock.ts'
import type { TrailRef, TrailStatus } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'
import type { Archive } from './archive.ts'
import type { Spool } from './spool.ts'

export interface UploadDependencies {
  readonly store: Pick<
    Store,
    | 'listUndelivered'
    | 'listUnnotified'
    | 'listFinishedFiles'
    | 'changeDeliveryFile'
    | 'deleteDeliveryFiles'
    | 'findTrailStatus'
    | 'saveTrailStatus'
  >
  readonly spool: Spool
  readonly archive: Archive
  /** Notifies the webhook of a file; undefined if there is no webhook. */
  readonly notify: ((file: DeliveryFile, signal: AbortSignal) => Promise<void>) | undefined
  readonly clock: Clock
  /** Milliseconds of a clock that nobody can set. */
  readonly monotonic: () => number
  readonly onError: (error: Error) => void
}

export interface Uploads {
  /** Delivers a batch. @returns whether there may be more that need not wait */
  run(signal: AbortSignal): Promise<boolean>
  /** Failures in a row, of the trail with the most. */
  failures(): Pick<DeliveryFigures['failures'], 'place' | 'webhook'>
}

const batchMax = 50
const waitMsMin = 1000
const waitMsMax = 60_000

export function createUploads(dependencies: UploadDependencies): Uploads {
  const { store, spool } = dependencies
  const delivering = createBackoffs(dependencies.monotonic)
  const telling = createBackoffs(dependencies.monotonic)
  return {
    failures: () => ({ place: delivering.failures(), webhook: telling.failures() }),
    async run(signal) {
      const except = delivering.waiting()
      const files = await store.listUndelivered(batchMax, 0, except)
      const failed = new Set<string>()
      for (const file of files) {
        const trail = trailText(file.trail)
        if (signal.aborted || failed.has(trail)) continue
        const why = await attempt(dependencies, file, signal)
        if (why === undefined) {
          delivering.succeeded(file.trail)
          continue
        }
        failed.add(trail)
        if (signal.aborted) break
        delivering.failed(file.trail)
        dependencies.onError(new Error(`${file.key} could not be delivered`, { cause: why }))
      }
      await tellAll(dependencies, telling, signal)
      const finished = await store.listFinishedFiles(batchMax)
      // The row is deleted first: a start deletes bytes that no row names.
      await store.deleteDeliveryFiles(finished)
      await spool.remove(finished)
      return files.length === batchMax && failed.size === 0
    },
  }
}

/** @returns why it was not delivered; undefined when it was */
async function attempt(
  dependencies: UploadDependencies,
  file: DeliveryFile,
  signal: AbortSignal,
): Promise<unknown> {
  const { store, spool, archive, clock } = dependencies
  const { sequence, bytesHash, bucket, key, metadata, kmsKeyId } = file
  const isLog = file.kind === 'log'
  try {
    const bytes = await spool.read(sequence, bytesHash)
    const encryption = kmsKeyId === undefined ? {} : { kmsKeyId }
    await archive.put({ bucket, key, bytes, metadata, ...encryption }, signal)
  } catch (error) {
    const latest = isLog
      ? { latestDeliveryAttemptAt: clock.now(), latestDeliveryError: nameOf(error) }
      : { latestDigestDeliveryError: nameOf(error) }
    if (!signal.aborted) await note(store, file.trail, latest)
    return error
  }
  const at = clock.now()
  await store.changeDeliveryFile(sequence, { deliveredAt: at })
  const latest = isLog
    ? { latestDeliveryAt: at, latestDeliveryAttemptAt: at, latestDeliveryError: undefined }
    : { latestDigestDeliveryAt: at, latestDigestDeliveryError: undefined }
  await note(store, file.trail, latest)
  return undefined
}

async function tellAll(
  dependencies: UploadDependencies,
  telling: Backoffs,
  signal: AbortSignal,
): Promise<void> {
  const { store, notify, clock, onError } = dependencies
  for (const file of await store.listUnnotified(batchMax)) {
    if (signal.aborted || telling.waiting().some((trail) => isSame(trail, file.trail))) continue
    try {
      await notify?.(file, signal)
      await store.changeDeliveryFile(file.sequence, { isNotified: true })
      telling.succeeded(file.trail)
      const at = clock.now()
      const latest = { latestNotificationAt: at, latestNotificationAttemptAt: at }
      await note(store, file.trail, { ...latest, latestNotificationError: undefined })
    } catch (cause) {
      if (signal.aborted) return
      telling.failed(file.trail)
      onError(new Error(`the webhook could not be notified of ${file.key}`, { cause }))
      const latest = { latestNotificationAttemptAt: clock.now() }
      await note(store, file.trail, { ...latest, latestNotificationError: nameOf(cause) })
    }
  }
}

/** `undefined` clears a member. */
async function note(
  store: UploadDependencies['store'],
  trail: TrailRef,
  latest: { readonly [K in keyof TrailStatus]: TrailStatus[K] | undefined },
): Promise<void> {
  const known = await store.findTrailStatus(trail)
  const status = { ...known, ...latest }
  const present = Object.entries(status).filter(([, value]) => value !== undefined)
  await store.saveTrailStatus(trail, Object.fromEntries(present) as TrailStatus)
}

/** The error's code as CloudTrail reports it: `AccessDenied` or `NoSuchBucket`. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'InternalError'
  if (error.name !== 'Error') return error.name
  return 'code' in error && typeof error.code === 'string' ? error.code : 'InternalError'
}

function isSame(one: TrailRef, other: TrailRef): boolean {
  return trailText(one) === trailText(other)
}

interface Backoffs {
  readonly waiting: () => readonly TrailRef[]
  readonly failed: (trail: TrailRef) => void
  readonly succeeded: (trail: TrailRef) => void
  /** The most failures of one trail since its last success. */
  readonly failures: () => number
}

interface Backoff {
  readonly trail: TrailRef
  readonly failures: number
  readonly waitMs: number
  readonly until: number
}

function createBackoffs(monotonic: () => number): Backoffs {
  const waits = new Map<string, Backoff>()
  return {
    waiting: () =>
      [...waits.values()].filter(({ until }) => monotonic() < until).map(({ trail }) => trail),
    failed(trail) {
      const known = waits.get(trailText(trail))
      const waitMs = Math.min(waitMsMax, (known?.waitMs ?? waitMsMin / 2) * 2)
      const failures = (known?.failures ?? 0) + 1
      waits.set(trailText(trail), { trail, failures, waitMs, until: monotonic() + waitMs })
    },
    succeeded: (trail) => void waits.delete(trailText(trail)),
    failures: () => Math.max(0, ...[...waits.values()].map(({ failures }) => failures)),
  }
}
