/**
 * The composition root: makes one server from its settings. The listener opens before the root key does.
 * Until then the server is not ready, and calls get one clear error.
 * @module
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { systemRandom } from '../crypto/entropy.ts'
import { makeDataDirectory } from './data-directory.ts'
import { type FirstAccount } from './first-start.ts'
import { KmsError } from '../errors.ts'
import { limitErrors } from './limited-log.ts'
import { askInside } from '../operator/inside.ts'
import { shortestPath } from '../operator/socket-path.ts'
import { createPipeline, type Handle } from '../pipeline/pipeline.ts'
import { publicService, requireClientSecrets, type PublicService } from './public-routes.ts'
import { screenCall } from '../pipeline/screen.ts'
import { openAfterUnseal, type OpenedServer } from './open-after-unseal.ts'
import { sealOf } from '../seals/choose.ts'
import type { Seal } from '../seals/seal.ts'
import { makeOperatorDirectory } from './operator-directory.ts'
import { loggingChanges } from './operator-log.ts'
import { createSealedDoor } from './sealed-door.ts'
import type { Unsealed, Unsealing } from './unseal-parts.ts'
import { createUnsealing } from './unsealing.ts'
import { closeAll, openFiles, type Closing, type Files } from './open-before-unseal.ts'
import type { Target } from '../wire/aws-json.ts'
import type { Handler, Screened } from '../wire/exchange.ts'
import { limitsOfWorker } from '../wire/limits.ts'
import { renderFailure } from '../wire/protocol.ts'
import type { RequestHead, RawRequest, RawResponse, RequestLine } from '../wire/request.ts'
import type { Readiness } from '../wire/routes.ts'
import { listen, type Listener } from '../wire/server.ts'
import type { TlsFiles } from '../wire/tls.ts'
import type { Certificates } from '../tls/certificates.ts'
import { certificatesOf, followCertificates, type ServerCertificates } from './tls.ts'
import { listenToUnsealers, type UnsealDoorDependencies } from './unseal-door.ts'
import { listenToXksClients, type XksDoorDependencies } from './xks-door.ts'
import { type Workers } from './workers/workers.ts'
import type { ServerOptions } from './options.ts'

/** Milliseconds that a stop waits for calls in flight. */
const stopWithinMs = 10_000
/** Milliseconds that readiness waits for another worker. */
const answerWithinMs = 2000

interface FurtherPorts {
  /** The port of the XKS proxies, if they are served. */
  readonly xksProxyPort?: number | undefined
  /** The port for unsealing, if there is one. */
  readonly unsealPort?: number | undefined
}

export interface RunningServer extends FurtherPorts {
  readonly host: string
  readonly port: number
  /** Resolves when the server serves calls. */
  readonly ready: Promise<FirstAccount>
  /** Reads the files of TLS again, if there are any. */
  reload(): Promise<void>
  /**
   * Says in readiness that the server stops, and goes on serving. Resolves when load balancers have had the
   * time of `TRENT_STOP_DELAY_SECONDS` to send new calls elsewhere.
   */
  leave(): Promise<void>
  /** Finishes the calls in flight, within a limit, and closes everything. */
  stop(): Promise<void>
}

export async function startServer(config: Config, given: ServerOptions): Promise<RunningServer> {
  const options = { ...given, log: limitErrors(given.log, given.time?.monotonic, config.workers) }
  const closing: (() => Promise<void>)[] = []
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= closeAll(closing))
  try {
    await requireClientSecrets(config)
    const certificates = await certificatesOf(config, options)
    closing.push(certificates.close)
    await makeDataDirectory(config.dataDirectory)
    const files = await openFiles(config, options, closing)
    const doors = await openDoors(config, options, files, closing, certificates)
    const { listener, open, unseal } = doors
    const seal = options.seal ?? Promise.resolve(sealOf(config.seal, systemRandom))
    const ready = seal.then(async (chosen) => {
      if (stopped !== undefined) throw new Error('stopped before the root key was open')
      const unsealed = await unseal(chosen)
      return open(openAfterUnseal(config, options, files, unsealed))
    })
    ready.catch(() => undefined) // the caller awaits `ready`, perhaps later
    return {
      host: listener.host,
      port: listener.port,
      ...doors.ports,
      ready,
      reload: () => certificates.reload(),
      async leave() {
        if (await doors.leave()) await delay(config.stopDelaySeconds * 1000)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The listeners. Calls get one clear error until `open` is called. */
async function openDoors(
  config: Config,
  { log, prepare, time }: ServerOptions,
  files: Files,
  closing: Closing,
  certificates: ServerCertificates,
): Promise<{
  readonly listener: Listener
  readonly ports: FurtherPorts
  readonly unseal: (seal: Seal) => Promise<Unsealed>
  /** The server is no longer ready, and connections close after an answer. Returns whether it serves. */
  readonly leave: () => Promise<boolean>
  readonly open: (opening: Promise<OpenedServer>) => Promise<FirstAccount>
}> {
  const { meter, workers, quickCheck } = files
  let unsealing: Unsealing | undefined
  let opening: Promise<OpenedServer> | undefined
  let opened: (OpenedServer & { readonly handle: Handle }) | undefined
  const listeners: Listener[] = []
  const leaving = createLeaving(listeners, workers)
  // After the listeners, so that no call in flight loses its dependencies.
  closing.push(async () => {
    const made = await opening?.catch(() => undefined) // `ready` reports it
    await made?.close()
  })
  closing.push(async () => unsealing?.close())
  closing.push(() => workers.close())
  closing.push(() => stopListening(workers, listeners).then(() => opened?.endRotation()))
  const serve = (request: RawRequest, target?: Target): Promise<RawResponse> =>
    opened === undefined
      ? Promise.resolve(notReady(request, systemRandom.uuid()))
      : opened.handle(request, target)
  const readiness = (): Promise<Readiness> => readinessOf(opened, files, leaving.hasBegun())
  meter.observe({ trent_ready: async () => Number((await readiness()).ready) })
  const parts = { serve, readiness, meter, log, time, unsealing: () => unsealing }
  const service = publicService({
    ...parts,
    config,
    metrics: meter,
    port: () => listener.port,
    screen: async (head, target) => screened(opened, head, target),
  })
  const listener = await listenPublicly(config, files.workerCount, log, service, certificates.main)
  listeners.push(listener)
  followCertificates(certificates, { listener, workers, meter, time })
  const sealedDoor = createSealedDoor({ ...files, log, unsealing: () => unsealing })
  const operate: Handler = (request) => (opened === undefined ? sealedDoor : serve)(request)
  listeners.push(await listenToOperators(config, log, loggingChanges(log, operate)))
  const further = await listenFurther(config, certificates, parts)
  listeners.push(...further.listeners)
  return {
    listener,
    ports: further.ports,
    unseal(seal) {
      unsealing = createUnsealing({ ...files, seal, random: systemRandom, log })
      return unsealing.opened
    },
    leave: () => leaving.begin().then(() => opened !== undefined),
    async open(given) {
      opening = given
      const made = await given
      const handle = createPipeline(made.dependencies)
      await prepare?.(askInside((request) => handle(request)))
      await made.startWorkers(service.handler)
      opened = { ...made, handle }
      await workers.listen({ port: listener.port, ...tlsOf(certificates.main) })
      quickCheck.begin()
      return made.firstAccount
    },
  }
}

/** The ports besides the public one. Worker 0 alone has them. */
async function listenFurther(
  config: Config,
  { xksProxy, unseal }: ServerCertificates,
  of: Omit<XksDoorDependencies, 'certificates'> & UnsealDoorDependencies,
): Promise<{ readonly listeners: readonly Listener[]; readonly ports: FurtherPorts }> {
  const [proxies] = await listenToXksClients(config, { ...of, certificates: xksProxy })
  const [unsealers] = await listenToUnsealers(config, unseal, of)
  return {
    listeners: [proxies, unsealers].filter((each) => each !== undefined),
    ports: { xksProxyPort: proxies?.port, unsealPort: unsealers?.port },
  }
}

async function screened(
  opened: OpenedServer | undefined,
  head: RequestHead,
  target?: Target,
): Promise<Screened> {
  if (opened === undefined) return { refusal: notReady(head, systemRandom.uuid()) }
  return screenCall(head, opened.dependencies, target)
}

function createLeaving(
  listeners: readonly Listener[],
  workers: Workers,
): { readonly hasBegun: () => boolean; readonly begin: () => Promise<void> } {
  let hasBegun = false
  return {
    hasBegun: () => hasBegun,
    async begin() {
      hasBegun = true
      for (const each of listeners) each.leave()
      await workers.leave()
    },
  }
}

async function stopListening(workers: Workers, listeners: readonly Listener[]): Promise<void> {
  const others = workers.stopListening(stopWithinMs)
  await Promise.all([others, ...listeners.map((each) => each.close(stopWithinMs))])
}

async function readinessOf(
  opened: OpenedServer | undefined,
  files: Files,
  isLeaving: boolean,
): Promise<Readiness> {
  const sealed = opened === undefined ? ['the root key is not open'] : []
  const node = opened?.node
  const stale = node?.refusal()
  const fresh = stale === undefined ? [] : [`this node must not decide calls: ${stale}`]
  const draining = node?.isDraining() ? ['this node is being drained'] : []
  const leaving = isLeaving ? ['this server is stopping'] : []
  const reasons = [...sealed, ...leaving, ...draining, ...fresh, ...(await unreadyParts(files))]
  return {
    ready: reasons.length === 0,
    reasons,
    replication: node?.replication(),
    held: files.clock.held(),
  }
}

/** Why open files and the workers are not ready. */
async function unreadyParts({ journal, quickCheck, workers }: Files): Promise<readonly string[]> {
  return [
    ...(journal.healthy ? [] : ['the audit journal has no healthy segment']),
    ...(journal.hasReserve ? [] : ['the disk of the audit journal is nearly full']),
    ...(quickCheck.problems().length > 0
      ? ['the database is damaged: stop the server and run `trent verify-database`']
      : []),
    ...(await reasonsOf(workers)),
  ]
}

/** Why the other workers are not ready. A worker that does not answer in time is not ready. */
async function reasonsOf(workers: Workers): Promise<readonly string[]> {
  const late = delay(answerWithinMs, undefined, { ref: false })
  const states = await Promise.race([workers.states(), late])
  if (states === undefined) return ['a worker does not answer']
  return states.flatMap(({ healthy, hasReserve, position: { stream } }) => [
    ...(healthy ? [] : [`the audit journal has no healthy segment for ${stream}`]),
    ...(hasReserve ? [] : ['the disk of the audit journal is nearly full']),
  ])
}

async function listenToOperators(config: Config, log: Logger, handler: Handler): Promise<Listener> {
  const group = await makeOperatorDirectory(config)
  const socketPath = shortestPath(join(config.operatorDirectory, 'operator.sock'))
  return listen({ socketPath, group, log }, handler)
}

/**
 * With several workers, the server first makes sure that nobody listens on the address: the system would
 * share it with any process of the same user. Accepted risk: another process can come in between.
 */
async function listenPublicly(
  { listen: at, trustedProxies }: Config,
  workers: number,
  log: Logger,
  { handler, screen }: PublicService,
  certificates: Certificates | undefined,
): Promise<Listener> {
  const options = { ...at, ...tlsOf(certificates), trustedProxies, log }
  if (workers === 1) return listen(options, handler, screen)
  const alone = await listen(options, handler, screen)
  await alone.close(0)
  return listen({ ...options, shared: true, limits: limitsOfWorker(workers) }, handler, screen)
}

function tlsOf(certificates: Certificates | undefined): { readonly tls?: TlsFiles } {
  return certificates === undefined ? {} : { tls: certificates.files() }
}

function notReady(request: RequestLine, requestId: string): RawResponse {
  const message = 'the server is not ready: its root key is not open'
  const error = new KmsError('ServiceUnavailableException', message)
  return renderFailure(error, requestId, request)
}
