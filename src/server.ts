/**
 * The composition root: one server from its settings, all ports made and joined here. The listener
 * opens before the root key does; until then readiness says so, and calls get one clear error.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { openAnchors, type Anchors } from './audit/anchors.ts'
import { openDelivery, type Delivery } from './audit/delivery/delivery.ts'
import { endLeftStreams } from './audit/left-streams.ts'
import { createEventIndex } from './audit/event-index.ts'
import { nodeFiles, type FilePort } from './audit/files.ts'
import type { OpenJournal } from './audit/journal.ts'
import { openJournal } from './audit/open-journal.ts'
import { drainOutbox } from './audit/outbox.ts'
import { createListing } from './audit/writers-list.ts'
import type { Config } from './config.ts'
import { keyringOf } from './crypto/domain-keys.ts'
import { systemRandom } from './crypto/entropy.ts'
import { openDeployment, openFirstAccount, type FirstAccount } from './deployment.ts'
import { KmsError } from './errors.ts'
import { createClock, type MovableClock, type TimeSource } from './jobs/clock.ts'
import { askInside, type Ask } from './operator/inside.ts'
import { measuredFiles, measuredJournal } from './metrics/measured.ts'
import { journalReaders } from './metrics/readers.ts'
import { createMeter, type Meter } from './metrics/meter.ts'
import { shortestPath } from './operator/socket-path.ts'
import { handle } from './pipeline.ts'
import { openPorts, type OpenPorts } from './ports.ts'
import { publicHandler } from './routes.ts'
import { createKeyFile, openFileSeal } from './seals/file.ts'
import type { Seal } from './seals/seal.ts'
import { createStore } from './store/bound-store.ts'
import { readDeployment } from './store/deployment.ts'
import { openDatabase, type OwnedDatabase } from './store/open.ts'
import type { Target } from './wire/aws-json.ts'
import { protocolOf } from './wire/protocol.ts'
import type { RawRequest, RawResponse } from './wire/request.ts'
import type { Readiness } from './wire/routes.ts'
import { listen, type Listener } from './wire/server.ts'

/** How long a stop waits for what is in flight, in milliseconds. */
const stopWithinMs = 10_000

export interface RunningServer {
  readonly host: string
  readonly port: number
  /** Resolves when calls are served. */
  readonly ready: Promise<FirstAccount>
  /** Finishes what is in flight, within a bound, and closes everything. */
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly log: Logger
  /** What protects the root key; the key file of the data directory when left out. */
  readonly seal?: Promise<Seal>
  /** Where time comes from; the process's own when left out. */
  readonly time?: TimeSource
  /** Where the audit journal is written; the system's files when left out. */
  readonly journalFiles?: FilePort
  /** Runs when calls could be served, before any is: what it throws ends the start. */
  readonly prepare?: (ask: Ask) => Promise<void>
  /** Called when the server cannot go on: the process is to end. */
  readonly onFatal: (error: unknown) => void
}

export async function startServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  const closing: (() => Promise<void>)[] = []
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= closeAll(closing))
  try {
    await makeDirectory(config.dataDirectory)
    const files = await openFiles(config, options, closing)
    const { listener, open } = await openDoors(config, options, files, closing)
    const ready = (options.seal ?? keyFileSeal(config, files)).then((seal) => {
      if (stopped !== undefined) throw new Error('stopped before the root key was open')
      return open(openDeploymentPorts(config, options, files, seal))
    })
    ready.catch(() => undefined) // whoever started the server awaits it, perhaps later
    return { host: listener.host, port: listener.port, ready, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** With its parents. Not by `recursive`: under a parent that takes no entries Node tries for ever (/proc). */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(parent)) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
    return
  }
  // Else all that is durable in it could be gone with its name.
  await nodeFiles.syncDirectory(parent)
}

/** What can be opened without the root key. */
interface Files {
  readonly database: OwnedDatabase
  readonly journal: OpenJournal
  readonly meter: Meter
  readonly journalDirectory: string
  /** What waits for the journal's last word. */
  readonly afterJournal: Closing
  readonly onError: (error: Error) => void
  readonly clock: MovableClock
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

type Closing = (() => Promise<void>)[]

async function openFiles(config: Config, options: ServerOptions, closing: Closing): Promise<Files> {
  const { log, onFatal } = options
  const clock = createClock(options.time)
  const startedAt = clock.now()
  const path = join(config.dataDirectory, 'trent.db')
  const database = await openDatabase({ path, onFailure: onFatal })
  closing.push(() => database.close())
  const afterJournal: Closing = []
  closing.push(() => closeAll(afterJournal))
  const journalDirectory = join(config.dataDirectory, 'journal')
  const meter = createMeter()
  const onError = (error: Error): void => {
    meter.journalFailed()
    log.error({ err: error }, 'the audit journal has failed')
  }
  const opened = await openJournal({
    directory: journalDirectory,
    stream: 'worker-0',
    clock,
    segmentAgeMs: config.auditSegmentSeconds * 1000,
    onFatal,
    onError,
    files: measuredFiles(options.journalFiles ?? nodeFiles, meter.synced),
  })
  const journal = measuredJournal(opened, meter.appended)
  meter.observe({ trent_sealed: () => 1, ...journalReaders(journal) })
  closing.push(() => journal.close())
  return { database, journal, meter, journalDirectory, afterJournal, onError, clock, startedAt }
}

/** The two listeners; calls get one clear error until `open` is called. */
async function openDoors(
  config: Config,
  { log, prepare }: ServerOptions,
  { journal, meter }: Files,
  closing: Closing,
): Promise<{
  readonly listener: Listener
  readonly open: (opening: Promise<Opened>) => Promise<FirstAccount>
}> {
  let opening: Promise<Opened> | undefined
  let opened: Opened | undefined
  const listeners: Listener[] = []
  // After the listeners, so that nothing that is in flight loses its ports.
  closing.push(async () => {
    const made = await opening?.catch(() => undefined) // `ready` tells of it
    await made?.close()
  })
  closing.push(async () => {
    await Promise.all(listeners.map((each) => each.close(stopWithinMs)))
  })
  const serve = (request: RawRequest, target?: Target): Promise<RawResponse> =>
    opened === undefined
      ? Promise.resolve(notReady(request, systemRandom.uuid()))
      : handle(request, opened.ports, target)
  const readiness = (): Promise<Readiness> => {
    const reasons = [
      ...(opened === undefined ? ['the root key is not open'] : []),
      ...(journal.healthy ? [] : ['the audit journal has no healthy segment']),
      ...(journal.hasReserve ? [] : ['the disk of the audit journal is nearly full']),
    ]
    return Promise.resolve({ ready: reasons.length === 0, reasons })
  }
  meter.observe({ trent_ready: async () => Number((await readiness()).ready) })
  const listener: Listener = await listen(
    { ...config.listen, log },
    publicHandler({ config, metrics: meter, port: () => listener.port, serve, readiness }),
  )
  listeners.push(listener)
  const socketPath = shortestPath(join(config.dataDirectory, 'operator.sock'))
  listeners.push(await listen({ socketPath, log }, (request) => serve(request)))
  return {
    listener,
    async open(ports) {
      opening = ports
      const made = await ports
      await prepare?.(askInside((request) => handle(request, made.ports)))
      opened = made
      return made.firstAccount
    },
  }
}

type Opened = OpenPorts & { readonly firstAccount: FirstAccount }

/** Opens the root key and all that depends on it. */
async function openDeploymentPorts(
  config: Config,
  options: ServerOptions,
  files: Files,
  seal: Seal,
): Promise<Opened> {
  const { log } = options
  const { database, journal, clock, meter, startedAt } = files
  const random = systemRandom
  const { deploymentId, domainKeys } = await openDeployment({ database, seal, clock, random })
  const keyring = keyringOf(deploymentId, domainKeys, random)
  const store = createStore(database, keyring, {
    onForgedRow: (table, id) => {
      files.meter.forged('row')
      log.error({ table, id }, 'a row fails its tag: it counts as absent')
    },
  })
  clock.resume(await store.findClockMark())
  const parts = { database, seal, clock, random, store, keyring, journal, region: config.region }
  const { firstAccount, ...audit } = await openAudit(config, options, files, parts)
  const usageTrackedSince = await store.trackUsageSince(clock.now())
  const { ports, close } = openPorts(config, {
    ...parts,
    ...audit,
    meter,
    firstAccount,
    usageTrackedSince,
    log,
    startedAt,
  })
  const eventIndex = createEventIndex({
    database: database.share(),
    directory: files.journalDirectory,
    durable: () => [journal.position],
    onError: (error) => log.error({ err: error }, 'LookupEvents is behind'),
  })
  files.meter.observe({
    trent_sealed: () => 0,
    trent_event_index_lag_seconds: async () => (await eventIndex.lagMs()) / 1000,
  })
  const closeAndIndex = async (): Promise<void> => {
    await close()
    await eventIndex.close()
  }
  return { ports, close: closeAndIndex, firstAccount }
}

/** The first account, and the audit trail: anchored, with every record that it must hold, on its way. */
async function openAudit(
  config: Config,
  { log, journalFiles = nodeFiles, onFatal }: ServerOptions,
  { journal, clock, journalDirectory: directory, afterJournal, onError }: Files,
  parts: Parameters<typeof openFirstAccount>[2],
): Promise<{
  readonly anchors: Anchors
  readonly delivery: Delivery
  readonly firstAccount: FirstAccount
}> {
  const { store, keyring } = parts
  const auditing = { store, keyring, files: journalFiles, directory, onError }
  const list = createListing(auditing)
  const anchors = await openAnchors({ ...auditing, journal, list })
  afterJournal.push(() => anchors.settled())
  const credentials = join(config.dataDirectory, 'credentials')
  const firstAccount = await openFirstAccount(config, credentials, parts)
  const own = [journal.position.stream] as const
  await endLeftStreams({ ...auditing, clock, own, list, onFatal })
  await drainOutbox({ ...auditing, journal })
  const delivery = await openDelivery({
    ...parts,
    settings: config.delivery,
    async checkpoint() {
      await anchors.checkpoint()
      return anchors.lagMs()
    },
    list,
    files: journalFiles,
    dataDirectory: config.dataDirectory,
    journalDirectory: directory,
    clock,
    held: () => clock.held(),
    onError: (error) => log.error({ err: error }, error.message),
  })
  return { anchors, delivery, firstAccount }
}

/** The seal of the data directory's key file, which the first start makes. */
async function keyFileSeal(config: Config, { database }: Files): Promise<Seal> {
  const path = join(config.dataDirectory, 'seal.key')
  // A start that died between the file and the deployment has left a file that nothing depends on.
  const first = (await readDeployment(database)) === undefined
  if (first && !existsSync(path)) await createKeyFile(path, systemRandom)
  return openFileSeal(path, systemRandom)
}

/** Closes in the opposite order of opening; a failure does not keep the rest open. */
async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closing.toReversed()) {
    await close().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

function notReady(request: RawRequest, requestId: string): RawResponse {
  const message = 'the server is not ready: its root key is not open'
  const error = new KmsError('ServiceUnavailableException', message)
  return protocolOf(request).renderError(error, requestId, undefined)
}
