/**
 * Runs delivery: every five minutes anchored records are put into log files, every hour log files into
 * digests, and both are uploaded at once. It also deletes old segments of the journal.
 * @module
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Keyring } from '../../crypto/keyring.ts'
import { createSlowLane } from '../../crypto/slow-lane.ts'
import { postWebhook } from '../../webhooks/webhook.ts'
import { createJobs, type Job, type Jobs } from '../../jobs/jobs.ts'
import type { DeliveryFigures, DeliveryFile } from '../../model/delivery.ts'
import type { Clock, Random } from '../../model/clock.ts'
import type { TrailDependencies } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'
import type { FilePort } from '../../disk/files.ts'
import type { Archive } from './archive.ts'
import { cutStretch, type CutDependencies } from './cut.ts'
import { createDigestKeys, digestPublicKeys, type DigestKeys } from './digest-keys.ts'
import { makeDigest } from './digests.ts'
import { createDirectoryArchive } from './directory-archive.ts'
import { createRetention } from './retention.ts'
import { createS3Archive } from './s3-archive.ts'
import type { DeliverySettings } from './settings.ts'
import { openSpool } from './spool.ts'
import { createTrails, operatorTrail, type OperatorTrailSettings } from './trails.ts'
import { createUploads } from './uploads.ts'

export interface DeliveryDependencies {
  readonly settings: DeliverySettings
  /** The Region of the settings: home Region of the operator's trail. */
  readonly region: string
  readonly store: Store
  readonly keyring: Pick<Keyring, 'wrap' | 'unwrap'>
  /**
   * Anchors what all streams hold now. Returns how long some records still wait for a checkpoint, in
   * milliseconds.
   */
  readonly checkpoint: () => Promise<number>
  /** Rewrites the signed list of the journal's writers. */
  readonly list: () => Promise<void>
  readonly files: FilePort
  /** The data directory, which holds the journal. */
  readonly dataDirectory: string
  readonly journalDirectory: string
  readonly clock: Clock
  readonly random: Random
  /** The reason to hold irreversible jobs; undefined when they may run. */
  readonly held: () => string | undefined
  readonly onError: (error: Error) => void
}

export interface Delivery {
  readonly trails: TrailDependencies
  /** Undefined when nothing is delivered. */
  figures(): Promise<DeliveryFigures | undefined>
  /** Resolves when everything due has been tried. */
  runDue(): Promise<void>
  /**
   * Puts every record that is durable now into files, and delivers them.
   * @returns the files that still wait after `maxMs`; undefined when nothing is delivered
   */
  drain(maxMs: number): Promise<number | undefined>
  close(): Promise<void>
}

const cutEveryMs = 300_000
const hourMs = 3_600_000
const drainAgainMs = 250
/** Enough to know that some are left. */
const unnotifiedMax = 100
/** The most files that may wait for an unreachable target; beyond it, records stay in the journal. */
const waitingMax = 100_000

export async function openDelivery(dependencies: DeliveryDependencies): Promise<Delivery> {
  const { settings, store, keyring, list } = dependencies
  // Its thread starts with the first key.
  const slowLane = createSlowLane({ queueMax: 1 })
  const keys = createDigestKeys({ store, keyring, slowLane, onNewKey: list })
  const archive = archiveOf(dependencies)
  const retention = createRetention({
    home: { files: dependencies.files, directory: dependencies.journalDirectory },
    store,
    list,
    delivers: archive !== undefined,
    retentionMs: settings.retentionDays * 86_400_000,
  })
  const making = archive === undefined ? undefined : await openMaking(dependencies, keys, archive)
  // Separate jobs: making files must not wait for a target that hangs.
  const lanes = [
    runs([...(making?.jobs ?? []), createKeyListing(store, list), retention], dependencies),
    ...(making === undefined ? [] : [runs([making.upload], dependencies)]),
  ]
  return {
    trails: createTrailDependencies(dependencies),
    figures: async () => making?.figures(),
    async runDue() {
      for (const lane of lanes) await lane.runDue()
    },
    async drain(maxMs) {
      if (making === undefined) return undefined
      const until = performance.now() + maxMs
      making.cutNext()
      for (;;) {
        for (const lane of lanes) await lane.runDue()
        const waiting = await making.left()
        if (waiting === 0 || performance.now() > until) return waiting
        await delay(drainAgainMs)
      }
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()))
      await archive?.close()
      await slowLane.close()
    },
  }
}

function archiveOf({ settings: { place }, files }: DeliveryDependencies): Archive | undefined {
  if (place === undefined) return undefined
  return place.kind === 's3' ? createS3Archive(place) : createDirectoryArchive(files, place.path)
}

function runs(jobs: readonly Job[], { clock, held, onError }: DeliveryDependencies): Jobs {
  return createJobs({
    jobs,
    clock,
    held,
    onError: (job, cause) =>
      onError(new Error(`delivery: ${job} failed and will be retried`, { cause })),
  })
}

async function openMaking(
  dependencies: DeliveryDependencies,
  keys: DigestKeys,
  archive: Archive,
): Promise<{
  readonly jobs: readonly Job[]
  readonly upload: Job
  readonly figures: () => Promise<DeliveryFigures>
  /** Has the next round put records into files, although it is not time. */
  readonly cutNext: () => void
  /** Files that are not delivered, or of which the webhook has not been notified. */
  readonly left: () => Promise<number>
}> {
  const { store, files, clock, random, onError, checkpoint } = dependencies
  let sequence = await store.lastDeliverySequence()
  const nextSequence = (): number => (sequence += 1)
  const spool = await openSpool(files, join(dependencies.dataDirectory, 'delivery'), sequence)
  const trails = createTrails(operatorSettings(dependencies), store)
  const home = { files, directory: dependencies.journalDirectory }
  const cutting = { store, home, spool, trails, random, nextSequence, onError }
  const digesting = { store, spool, trails, keys, nextSequence }
  const uploads = createUploads({
    store,
    spool,
    archive,
    notify: notifier(dependencies),
    clock,
    monotonic: () => performance.now(),
    onError,
  })
  const cut = createCutJob(cutting, checkpoint, clock)
  const digest = counted((now: number) => makeDigest(digesting, now))
  return {
    jobs: [cut.job, { name: 'make digests', run: digest.run }],
    async figures() {
      const [first] = await store.listUndelivered(1, 0, [])
      const failures = { files: cut.failures(), digests: digest.failures(), ...uploads.failures() }
      return {
        waitingFiles: await store.countUndelivered(),
        deliveredUntil: Math.min(first?.oldest ?? first?.madeAt ?? Infinity, cut.until()),
        failures,
      }
    },
    upload: { name: 'deliver files', run: (_now, signal) => uploads.run(signal) },
    cutNext: cut.next,
    left: async () =>
      (cut.isDone() ? 0 : 1) +
      (await store.countUndelivered()) +
      (await store.listUnnotified(unnotifiedMax)).length,
  }
}

/** Wraps work to count its failures since the last success. */
function counted<A extends unknown[], R>(
  work: (...given: A) => Promise<R>,
): { readonly run: (...given: A) => Promise<R>; readonly failures: () => number } {
  let failures = 0
  return {
    failures: () => failures,
    async run(...given) {
      try {
        const answer = await work(...given)
        failures = 0
        return answer
      } catch (error) {
        failures += 1
        throw error
      }
    },
  }
}

/** Period of the look for keys that other nodes made. */
const keysEveryMs = 60_000

/** Lists the keys of digests that another node made, so that this node's journal proves its digests. */
function createKeyListing(store: Pick<Store, 'listDigestKeys'>, list: () => Promise<void>): Job {
  let looked = -Infinity
  let listed: number | undefined
  return {
    name: 'list the keys of digests',
    async run(now) {
      if (Math.abs(now - looked) < keysEveryMs) return false
      looked = now
      const { length } = await store.listDigestKeys()
      if (length !== listed) await list()
      listed = length
      return false
    },
  }
}

/** Runs at once after a start, every five minutes, and at each full hour. */
function createCutJob(
  cutting: CutDependencies & { readonly store: Store },
  checkpoint: DeliveryDependencies['checkpoint'],
  clock: Clock,
): {
  readonly job: Job
  readonly failures: () => number
  readonly until: () => number
  readonly next: () => void
  /** Whether everything that was durable at the last `next` is in files. */
  readonly isDone: () => boolean
} {
  let cutAt: number | undefined
  let isUnderWay = false
  /**
   * Everything before this time is in files. After a start it is the time of the start until delivery
   * has caught up.
   */
  let until = clock.now()
  let reaching = until
  const cut = counted((now: number) => cutStretch(cutting, now))
  const job: Job = {
    name: 'put records into files',
    async run(now) {
      if (!isUnderWay) {
        const isDue =
          cutAt === undefined ||
          Math.abs(now - cutAt) >= cutEveryMs ||
          Math.floor(now / hourMs) !== Math.floor(cutAt / hourMs)
        if (!isDue || (await cutting.store.countUndelivered()) >= waitingMax) return false
        cutAt = now
        cutting.trails.refresh()
        reaching = now - (await checkpoint())
      }
      isUnderWay = await cut.run(now)
      if (!isUnderWay) until = reaching
      return isUnderWay
    },
  }
  return {
    job,
    failures: cut.failures,
    until: () => until,
    next() {
      cutAt = undefined
    },
    isDone: () => cutAt !== undefined && !isUnderWay && cut.failures() === 0,
  }
}

function notifier({ settings: { webhook }, clock }: DeliveryDependencies) {
  if (webhook === undefined) return undefined
  return (file: DeliveryFile, signal: AbortSignal): Promise<void> => {
    const { bucket, key, topicArn, sequence, bytesHash } = file
    const body = JSON.stringify({
      ...(topicArn !== undefined && topicArn !== '' && { topicArn }),
      s3Bucket: bucket,
      s3ObjectKey: [key],
    })
    const id = `trent-${sequence}-${bytesHash.slice(0, 16)}`
    return postWebhook(webhook, { id, body }, () => clock.system(), signal)
  }
}

function operatorSettings({
  settings,
  region,
}: Pick<DeliveryDependencies, 'settings' | 'region'>): OperatorTrailSettings {
  const { bucket, prefix, kmsKeyId, webhook } = settings
  return { homeRegion: region, bucket, prefix, kmsKeyId, notifies: webhook !== undefined }
}

/** What operations need to know about trails, in every worker. */
export function createTrailDependencies(
  dependencies: Pick<DeliveryDependencies, 'settings' | 'region'> & {
    readonly store: Pick<Store, 'findTrailStatus' | 'listDigestKeys'>
  },
): TrailDependencies {
  const { settings, store } = dependencies
  const { place, bucket, buckets } = settings
  return {
    operatorTrail: (accountId) =>
      place === undefined ? undefined : operatorTrail(operatorSettings(dependencies), accountId),
    acceptsBucket: (named, accountId) =>
      place !== undefined &&
      (buckets.get(named)?.has(accountId) ?? (place.kind === 'directory' && named === bucket)),
    encrypts: place?.kind === 's3',
    statusOf: async (trail) => (await store.findTrailStatus(trail)) ?? {},
    digestPublicKeys: (from, until) => digestPublicKeys(store, from, until),
  }
}
