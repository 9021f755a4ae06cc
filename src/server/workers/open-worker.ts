/**
 * A worker other than worker 0. It has its own listener, caches, keys in memory, journal stream, outbox and
 * threads for slow cryptography. State of the whole process is in `memory.ts`, or worker 0 answers for it.
 * @see docs/adr/0023-workers.md
 * @module
 */
import type { Logger } from 'pino'
import { openAnchors } from '../../audit/journal/anchors.ts'
import type { NewRecords } from '../../audit/index/new-records.ts'
import { createTrailDependencies } from '../../audit/delivery/delivery.ts'
import { nodeFiles } from '../../disk/files.ts'
import { createRefusals } from '../../authenticate/refusals.ts'
import { turnKeys, type KeyringStep, type TurningKeyring } from '../../crypto/domain-keys.ts'
import { keyringIn } from '../../crypto/open-deployment.ts'
import { systemRandom } from '../../crypto/entropy.ts'
import { createClock } from '../../jobs/clock.ts'
import { ourselves } from '../../model/party.ts'
import { createMeter, type MeterFigures } from '../../metrics/meter.ts'
import { workerReaders } from '../../metrics/readers.ts'
import { createPipeline } from '../../pipeline/pipeline.ts'
import { awsRegistry } from '../../operations/registry.ts'
import { joinDependencies } from '../dependencies.ts'
import type { InTurn } from '../../pipeline/turns.ts'
import { workerService } from '../public-routes.ts'
import { screenCall } from '../../pipeline/screen.ts'
import { createGrantReader } from '../../cache/grant-reader.ts'
import type { OnForgedRow } from '../../store/bound-rows.ts'
import { createStore } from '../../store/bound-store.ts'
import { attachDatabase } from '../../store/open.ts'
import { createKeptFaults } from '../../throttle/faults.ts'
import { limitsOfWorker } from '../../wire/limits.ts'
import type { RawRequest, RawResponse } from '../../wire/request.ts'
import { listen, type Listener } from '../../wire/server.ts'
import type { TlsFiles } from '../../wire/tls.ts'
import { openBackground, type Background } from '../background.ts'
import type { Link } from '../../threads/link.ts'
import type { AskedOfFirst, ListenAt, Noted, NotedOf, WorkerState } from './questions.ts'
import { openStream, type OpenStream } from './stream.ts'
import type { WorkerConfig } from './worker-config.ts'
import type { OperationDependencies } from '../../operations/contract/dependencies.ts'
import type { WorkerParts } from '../parts.ts'
import type { WorkerData } from './worker-data.ts'

export interface OpenWorker {
  listen(at: ListenAt): Promise<void>
  useTls(files: TlsFiles): void
  state(): WorkerState
  newRecords(): NewRecords
  figures(): Promise<MeterFigures>
  checkpoint(): Promise<number>
  noted(of: NotedOf): Noted[keyof Noted]
  turnKeys(step: KeyringStep): Promise<void>
  leave(): void
  stopListening(graceMs: number): Promise<void>
  close(): Promise<void>
}

export interface WorkerStart extends Omit<WorkerData, 'config'> {
  readonly config: WorkerConfig
  readonly log: Logger
  readonly link: Link<AskedOfFirst>
}

export async function openWorker(start: WorkerStart): Promise<OpenWorker> {
  const { config, link, log } = start
  const parts = await openParts(start)
  const { journal, anchors, clock, meter } = parts
  const background = openBackground(config, parts, true)
  const refusals = createRefusals(log, clock)
  meter.observe(workerReaders({ ...parts, ...background, refusals }))
  const dependencies = joinDependencies(config, parts, background, {
    registry: awsRegistry,
    refusals,
    faults: createKeptFaults(start.memory.faults, (operation) => link.ask('strike', operation)),
    inTurn: turnsOf(link),
    internalCaller: (door) => {
      throw new Error(`unreachable: the first worker alone has the door \`${door}\``)
    },
    server: notHere,
  })
  const { handler, screen } = workerService({
    serve: createPipeline(dependencies),
    screen: (head) => screenCall(head, dependencies),
    elsewhere: (request) => forward(request, link),
  })
  let listener: Listener | undefined
  let changedTls: TlsFiles | undefined
  return {
    async listen(at) {
      const limits = limitsOfWorker(config.workers)
      const { trustedProxies } = config
      const options = { ...config.listen, ...at, shared: true, limits, trustedProxies, log }
      listener = await listen(options, handler, screen)
      // The files changed while it began to listen.
      if (changedTls !== undefined) listener.useTls(changedTls)
    },
    useTls(files) {
      changedTls = files
      listener?.useTls(files)
    },
    state: () => ({
      healthy: journal.healthy,
      hasReserve: journal.hasReserve,
      position: journal.position,
      refusals: refusals.count(),
    }),
    newRecords: () => parts.takeRecords(),
    figures: () => meter.figures(),
    async checkpoint() {
      await anchors.checkpoint()
      return anchors.lagMs()
    },
    noted: ({ kind, name }) => usesOf(background)[kind].remembered(name),
    async turnKeys(step) {
      turnKeys(parts.keyring, step)
      await parts.grantReader.turnKeys(step)
    },
    leave: () => listener?.leave(),
    async stopListening(graceMs) {
      await listener?.close(graceMs)
    },
    async close() {
      await background.close()
      await journal.close()
      await anchors.settled()
      await parts.closeDatabase()
    },
  }
}

/** Uses that are not saved yet, by kind. */
export function usesOf(
  background: Background,
): Readonly<Record<keyof Noted, { readonly remembered: (name: string) => Noted[keyof Noted] }>> {
  return {
    keys: background.keyUsages,
    roles: background.roleUses,
    accessKeys: background.accessKeyUses,
  }
}

async function openParts(start: WorkerStart): Promise<
  WorkerParts &
    Pick<OpenStream, 'takeRecords'> & {
      readonly keyring: TurningKeyring
      readonly closeDatabase: () => Promise<void>
    }
> {
  const { worker, config, deployment, memory, log, link } = start
  const { usageTrackedSince, restoredAt, logRequests } = start
  const onFatal = (error: Error): void => void link.ask('fatal', error.stack ?? error.message)
  const random = systemRandom
  const clock = createClock(undefined, memory.clock)
  const meter = createMeter()
  const database = attachDatabase(start.database, onFatal)
  const keyring = keyringIn(deployment, random)
  const onForgedRow: OnForgedRow = (table, id) => {
    meter.forged('row')
    log.error({ table, id }, 'a row is forged or was removed: it is not believed')
  }
  const store = createStore(database, keyring, { onForgedRow })
  const { nodeId } = database
  const stream = await openStream({ worker, nodeId, config, memory, clock, meter, log, onFatal })
  const { journal, journalDirectory: directory, onError } = stream
  const list = (): Promise<void> => link.ask('list', undefined)
  const files = nodeFiles
  const anchors = await openAnchors({ store, journal, keyring, files, directory, list, onError })
  return {
    grantReader: createGrantReader({ database: start.grantDatabase, deployment, onForgedRow }),
    clock,
    random,
    store,
    keyring,
    journal,
    takeRecords: stream.takeRecords,
    anchors,
    trails: createTrailDependencies({ settings: config.delivery, region: config.region, store }),
    usageTrackedSince,
    restoredAt,
    meter,
    log,
    logRequests,
    memory,
    others: {
      settle: (name) => link.ask('settle', name),
      noted: async (kind, name) => (await link.ask('noted', { kind, name })) as never, // of that kind
    },
    closeDatabase: () => database.close(),
  }
}

/** Turns belong to the whole process: worker 0 gives them. */
function turnsOf(link: Link<AskedOfFirst>): InTurn {
  return async (work, party = ourselves) => {
    const turn = await link.ask('turn', party)
    try {
      return await work()
    } finally {
      await link.ask('turnOver', turn)
    }
  }
}

async function forward(request: RawRequest, link: Link<AskedOfFirst>): Promise<RawResponse> {
  const { signal, connection: _, ...sent } = request
  // A copy: a view would be sent with its whole buffer.
  const answer = await link.ask('serve', { ...sent, body: Buffer.from(request.body) }, { signal })
  const { body } = answer
  return { ...answer, body: typeof body === 'string' ? body : Buffer.from(body) }
}

const unreachable = (): never => {
  throw new Error('unreachable: operators and tests are served by the first worker')
}
const notHere: OperationDependencies['server'] = {
  status: unreachable,
  health: unreachable,
  moveClock: unreachable,
  acceptClock: unreachable,
  faults: { list: unreachable, replace: unreachable },
  breakGlass: unreachable,
  seal: {
    status: unreachable,
    begin: unreachable,
    give: unreachable,
    retire: unreachable,
    cancel: unreachable,
    end: unreachable,
  },
  backup: { begin: unreachable, read: unreachable },
  nodes: { list: unreachable, drain: unreachable, retire: unreachable },
  get firstAccount() {
    return unreachable()
  },
}
