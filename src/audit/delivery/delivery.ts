/**
 * Delivery as a whole: every five minutes what is anchored is put into files, every hour the files into
 * digests, and at once both are brought to where the trails want them. The journal's old segments go.
 * @module
 */
import { join } from 'node:path'
import type { Keyring } from '../../crypto/keyring.ts'
import { createSlowLane } from '../../crypto/slow-lane.ts'
import { postWebhook } from '../../webhooks/webhook.ts'
import { createJobs, type Job, type Jobs } from '../../jobs/jobs.ts'
import type { DeliveryFigures, DeliveryFile } from '../../model/delivery.ts'
import type { Clock, Random } from '../../model/clock.ts'
import type { TrailPorts } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'
import type { FilePort } from '../../disk/files.ts'
import type { Archive } from './archive.ts'
import { cutStretch, type CutPorts } from './cut.ts'
import { createDigestKeys, digestPublicKeys, type DigestKeys } from './digest-keys.ts'
import { makeDigest } from './digests.ts'
import { createDirectoryArchive } from './directory-archive.ts'
import { createRetention } from './retention.ts'
import { createS3Archive } from './s3-archive.ts'
import type { DeliverySettings } from './settings.ts'
import { openSpool } from './spool.ts'
import { createTrails, operatorTrail, type OperatorTrailSettings } from './trails.ts'
import { createUploads } from './uploads.ts'

export interface DeliveryPorts {
  readonly settings: DeliverySettings
  /** The Region of the settings: home of the operator's trail. */
  readonly region: string
  readonly store: Store
  readonly keyring: Pick<Keyring, 'wrap' | 'unwrap'>
  /** Anchors what all streams hold now; answers for how many milliseconds some records wait all the same. */
  readonly checkpoint: () => Promise<number>
  /** Writes the signed list of the journal's writers anew. */
  readonly list: () => Promise<void>
  readonly files: FilePort
  /** `<data>`, with the journal in it. */
  readonly dataDirectory: string
  readonly journalDirectory: string
  readonly clock: Clock
  readonly random: Random
  /** Why what cannot be undone waits; undefined when it does not. */
  readonly held: () => string | undefined
  readonly onError: (error: Error) => void
}

export interface Delivery {
  readonly trails: TrailPorts
  /** Undefined where nothing is delivered. */
  figures(): Promise<DeliveryFigures | undefined>
  /** Resolves when all that was due was tried. */
  runDue(): Promise<void>
  close(): Promise<void>
}

const cutEveryMs = 300_000
const hourMs = 3_600_000
/** So many files wait for a target that is away; then the records stay in the journal. */
const waitingMax = 100_000

export async function openDelivery(ports: DeliveryPorts): Promise<Delivery> {
  const { settings, store, keyring, list } = ports
  // Its thread starts with the first key.
  const slowLane = createSlowLane({ queueMax: 1 })
  const keys = createDigestKeys({ store, keyring, slowLane, onNewKey: list })
  const archive = archiveOf(ports)
  const retention = createRetention({
    home: { files: ports.files, directory: ports.journalDirectory },
    store,
    list,
    delivers: archive !== undefined,
    retentionMs: settings.retentionDays * 86_400_000,
  })
  const making = archive === undefined ? undefined : await openMaking(ports, keys, archive)
  // Those that make files do not wait for a target that hangs.
  const lanes = [
    runs([...(making?.jobs ?? []), retention], ports),
    ...(making === undefined ? [] : [runs([making.upload], ports)]),
  ]
  return {
    trails: createTrailPorts(ports),
    figures: async () => making?.figures(),
    async runDue() {
      for (const lane of lanes) await lane.runDue()
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()))
      await archive?.close()
      await slowLane.close()
    },
  }
}

function archiveOf({ settings: { place }, files }: DeliveryPorts): Archive | undefined {
  if (place === undefined) return undefined
  return place.kind === 's3' ? createS3Archive(place) : createDirectoryArchive(files, place.path)
}

function runs(jobs: readonly Job[], { clock, held, onError }: DeliveryPorts): Jobs {
  return createJobs({
    jobs,
    clock,
    held,
    onError: (job, cause) => onError(new Error(`delivery: ${job}: it is tried again`, { cause })),
  })
}

async function openMaking(
  ports: DeliveryPorts,
  keys: DigestKeys,
  archive: Archive,
): Promise<{
  readonly jobs: readonly Job[]
  readonly upload: Job
  readonly figures: () => Promise<DeliveryFigures>
}> {
  const { store, files, clock, random, onError, checkpoint } = ports
  let sequence = await store.lastDeliverySequence()
  const nextSequence = (): number => (sequence += 1)
  const spool = await openSpool(files, join(ports.dataDirectory, 'delivery'), sequence)
  const trails = createTrails(operatorSettings(ports), store)
  const home = { files, directory: ports.journalDirectory }
  const cutting = { store, home, spool, trails, random, nextSequence, onError }
  const digesting = { store, spool, trails, keys, nextSequence }
  const uploads = createUploads({
    store,
    spool,
    archive,
    notify: notifier(ports),
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
  }
}

/** Work whose failures are counted, since it last succeeded. */
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

/** At once after a start, every five minutes, and when an hour has passed. */
function createCutJob(
  cutting: CutPorts & { readonly store: Store },
  checkpoint: DeliveryPorts['checkpoint'],
  clock: Clock,
): {
  readonly job: Job
  readonly failures: () => number
  readonly until: () => number
} {
  let cutAt: number | undefined
  let isUnderWay = false
  /** Up to when everything is in files; what an earlier process has left is told as of the start. */
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
  return { job, failures: cut.failures, until: () => until }
}

function notifier({ settings: { webhook }, clock }: DeliveryPorts) {
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
}: Pick<DeliveryPorts, 'settings' | 'region'>): OperatorTrailSettings {
  const { bucket, prefix, kmsKeyId, webhook } = settings
  return { homeRegion: region, bucket, prefix, kmsKeyId, notifies: webhook !== undefined }
}

/** What operations ask of trails, in whatever worker. */
export function createTrailPorts(
  ports: Pick<DeliveryPorts, 'settings' | 'region'> & {
    readonly store: Pick<Store, 'findTrailStatus' | 'listDigestKeys'>
  },
): TrailPorts {
  const { settings, store } = ports
  const { place, bucket, buckets } = settings
  return {
    operatorTrail: (accountId) =>
      place === undefined ? undefined : operatorTrail(operatorSettings(ports), accountId),
    acceptsBucket: (named, accountId) =>
      place !== undefined &&
      (buckets.get(named)?.has(accountId) ?? (place.kind === 'directory' && named === bucket)),
    encrypts: place?.kind === 's3',
    statusOf: async (trail) => (await store.findTrailStatus(trail)) ?? {},
    digestPublicKeys: (from, until) => digestPublicKeys(store, from, until),
  }
}
