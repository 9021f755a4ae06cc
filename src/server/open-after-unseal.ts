/**
 * Opens what needs the root key: the deployment, its audit trail and the dependencies of worker 0. Starts the
 * other workers.
 * @module
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openBackups } from './backup-schedule.ts'
import { openAnchors, type Anchors } from '../audit/journal/anchors.ts'
import { openDelivery, type Delivery } from '../audit/delivery/delivery.ts'
import { createEventIndex, type EventIndex } from '../audit/index/event-index.ts'
import { nodeFiles, type FilePort } from '../disk/files.ts'
import { streamOf } from '../model/node.ts'
import type { RunningNode } from './node.ts'
import { drainingOf, joinAsNode, positionsOf, usesOfNodes } from './join-as-node.ts'
import { nodeReaders } from './node-readers.ts'
import { checkClosedSegments } from '../audit/journal-check.ts'
import { endLeftStreams } from '../audit/journal/left-streams.ts'
import { drainOutbox } from '../audit/outbox.ts'
import { createListing } from '../audit/journal/writers-list.ts'
import type { Config } from '../config.ts'
import { keyringOf } from '../crypto/domain-keys.ts'
import { systemRandom } from '../crypto/entropy.ts'
import { openFirstAccount, type FirstAccount } from './first-start.ts'
import { openDependencies, type OpenDependencies } from './dependencies.ts'
import { type Files } from './open-before-unseal.ts'
import { createGrantReader } from '../cache/grant-reader.ts'
import type { OnForgedRow } from '../store/bound-rows.ts'
import { createStore } from '../store/bound-store.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { answersOf } from './workers/answers.ts'
import { usesOf } from './workers/open-worker.ts'
import type { Workers } from './workers/workers.ts'
import { sentConfig } from './workers/worker-config.ts'
import type { ServerOptions } from './options.ts'
import { openQuotaShares } from './quota-shares.ts'
import { createOwnSeal } from './own-seal.ts'
import { createRekeying } from './rekeying.ts'
import { createRootGenerations } from './root-generations.ts'
import type { OtherWorkers, ServerParts } from './parts.ts'
import type { Unsealed } from './unseal-parts.ts'
import { recordPeople, type PeopleOfStart } from './unseal-records.ts'

export type OpenedServer = Pick<OpenDependencies, 'dependencies' | 'close'> & {
  readonly firstAccount: FirstAccount
  /** Absent if only one node can use the database. */
  readonly node?: RunningNode
  readonly startWorkers: (handler: WorkersHandler) => Promise<void>
  /** Takes no part in rotations of the root key any more: its steps need every thread. */
  readonly endRotation: () => Promise<void>
}
export type WorkersHandler = (request: RawRequest) => Promise<RawResponse>

/** Opens everything that depends on the root key. */
export async function openAfterUnseal(
  config: Config,
  options: ServerOptions,
  files: Files,
  { deployment: opened, seal, ...by }: Unsealed,
): Promise<OpenedServer> {
  const { log, logRequests = false } = options
  const { database, journal, clock, meter, startedAt, workers } = files
  const random = systemRandom
  const keyring = keyringOf(opened.deploymentId, opened.domainKeys, random)
  const onForgedRow = forgedRows(files, log)
  const store = createStore(database, keyring, { onForgedRow })
  clock.resume(await store.findClockMark())
  const node = await joinAsNode(config, options, files, { store, keyring })
  // Another node may not know the latest root key yet.
  const deployment = { ...opened, current: keyring.newestVersion }
  const parts = { database, clock, random, store, keyring, journal, region: config.region }
  const { firstAccount, list, ...audit } = await openAudit(config, options, files, { ...parts, by })
  const usageTrackedSince = await store.trackUsageSince(clock.now())
  const started = { usageTrackedSince, restoredAt: await store.lastRestoredAt(), logRequests }
  const quotaShares = await openQuotaShares({ ...files.memory, ...parts, log })
  const grantReader = createGrantReader({ database: database.share(), deployment, onForgedRow })
  const ownSeal = createOwnSeal({ ...parts, seal, hasOpened: by.by === undefined, log })
  const threads = { deployment, workers, grantReader, list, firstAccount, node, ownSeal }
  const generations = createRootGenerations({ ...parts, ...options, ...threads })
  const all: ServerParts = {
    ...parts,
    ...audit,
    trails: audit.delivery.trails,
    grantReader,
    others: { ...workersNotes(workers), settle: (name) => uses.settle(name) },
    memory: files.memory,
    workers,
    meter,
    firstAccount,
    ...started,
    log,
    startedAt,
    ...openBackups(config, options, { ...parts, firstAccount }),
    generations,
    node,
    draining: drainingOf(files, node, store),
    ownSeal,
    rekeying: createRekeying({ ...config, ...parts, ownSeal, generations }),
    sealServer: () => void setImmediate(options.onSeal ?? (() => undefined)),
  }
  const open = openDependencies(config, all)
  const uses = usesOfNodes(config, files, all, open.background)
  for (const each of [generations, all.backupSchedule]) each.begin(open.background.changes)
  node?.begin()
  const eventIndex = openEventIndex(files, log)
  const { readers } = all.backupSchedule
  meter.observe({ ...nodeReaders(node, config), ...readers, ...ownSeal.readers })
  const journalCheck = checkClosedSegments({ ...files, store, directory: files.journalDirectory })
  const data = { config: sentConfig(config), deployment, memory: files.memory, ...started }
  return {
    dependencies: open.dependencies,
    firstAccount,
    ...(node && { node }),
    async startWorkers(handler) {
      const answers = answersOf({ ...open, ...uses, handler, list, log })
      await workers.start({ data, share: database.share, answers, noted: notedBy(open) })
      generations.followNodes()
    },
    endRotation: generations.close,
    close: async () => {
      await closeInOrder([all.backupSchedule, all.backups, journalCheck, generations, ownSeal])
      await closeInOrder([open, eventIndex, quotaShares, node])
    },
  }
}

function notedBy({ background }: OpenDependencies): Parameters<Workers['start']>[0]['noted'] {
  return ({ kind, name }) => usesOf(background)[kind].remembered(name)
}

function workersNotes(workers: Files['workers']): Pick<OtherWorkers, 'noted'> {
  return { noted: (kind, name) => workers.noted(kind, name) }
}

function forgedRows({ meter }: Files, log: Logger): OnForgedRow {
  return (table, id) => {
    meter.forged('row')
    log.error({ table, id }, 'a row is forged or was removed: it is not believed')
  }
}

async function closeInOrder(
  parts: readonly ({ readonly close: () => Promise<void> } | undefined)[],
): Promise<void> {
  for (const part of parts) await part?.close()
}

function openEventIndex(files: Files, log: ServerOptions['log']): EventIndex {
  const { database, workers, meter, journalDirectory: directory, takeRecords } = files
  const eventIndex = createEventIndex({
    database: database.share(),
    directory,
    durable: () => positionsOf(files),
    take: async () => [takeRecords(), ...(await workers.newRecords())],
    onError: (error) => log.error({ err: error }, 'LookupEvents is behind'),
  })
  meter.observe({
    trent_sealed: () => 0,
    trent_event_index_lag_seconds: async () => (await eventIndex.lagMs()) / 1000,
  })
  return eventIndex
}

/** Opens the first account and the audit trail: anchored, complete and being delivered. */
async function openAudit(
  config: Config,
  options: ServerOptions,
  { journal, clock, workers, workerCount, afterJournal, onError, ...files }: Files,
  {
    by,
    ...parts
  }: Parameters<typeof openFirstAccount>[2] & {
    readonly by: PeopleOfStart
    readonly database: Files['database']
  },
): Promise<{
  readonly anchors: Anchors
  readonly delivery: Delivery
  readonly firstAccount: FirstAccount
  readonly list: () => Promise<void>
}> {
  const { log, journalFiles = nodeFiles, onFatal } = options
  const { store, keyring } = parts
  const directory = files.journalDirectory
  const auditing = { store, keyring, files: journalFiles, directory, onError }
  await adoptStreams(directory, { store, files: journalFiles })
  const list = createListing(auditing)
  const anchors = await openAnchors({ ...auditing, journal, list })
  afterJournal.push(() => anchors.settled())
  const credentials = join(config.dataDirectory, 'credentials')
  const { database } = parts
  const firstAccount = await database.alone(() => openFirstAccount(config, credentials, parts))
  await recordPeople(by, firstAccount.accountId, { ...parts, journal })
  const own = [
    journal.position.stream,
    ...Array.from({ length: workerCount - 1 }, (_, n) => streamOf(n + 1, database.nodeId)),
  ] as const
  await endLeftStreams({ ...auditing, clock, own, list, onFatal })
  await database.alone(() => drainOutbox({ ...auditing, journal }))
  const delivery = await openDelivery({
    ...parts,
    settings: config.delivery,
    async checkpoint() {
      const [, others] = await Promise.all([anchors.checkpoint(), workers.checkpoint()])
      return Math.max(anchors.lagMs(), others)
    },
    list,
    files: journalFiles,
    dataDirectory: config.dataDirectory,
    journalDirectory: directory,
    clock,
    held: () => clock.held(),
    onError: (error) => log.error({ err: error }, error.message),
  })
  return { anchors, delivery, firstAccount, list }
}

/**
 * Streams from the time of an embedded database name no node. The node that has them on its volume takes them
 * over.
 */
async function adoptStreams(
  directory: string,
  { store, files }: { readonly store: ServerParts['store']; readonly files: FilePort },
): Promise<void> {
  const here = new Set((await files.list(directory)).map(({ name }) => name))
  const left = (await store.listAllAuditWriters()).filter(
    ({ stream, nodeId }) => nodeId === undefined && here.has(stream),
  )
  if (left.length === 0) return
  // First: a start that finds the streams adopted leaves the files alone.
  await store.adoptDeliveryFiles()
  for (const { stream } of left) await store.changeAuditWriter(stream, {})
}
