/**
 * The port for unsealing: operators at other machines give their shares over TLS 1.3. It serves status and
 * unsealing, and nothing else that operators can do.
 * @see docs/adr/0047-unsealing-over-tls.md
 * @module
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { KmsError } from '../errors.ts'
import { sourceOf } from '../model/address.ts'
import { bucketMemory, createBuckets, processMilliseconds } from '../throttle/buckets.ts'
import type { Certificates } from '../tls/certificates.ts'
import { readTarget } from '../wire/aws-json.ts'
import type { Handler } from '../wire/exchange.ts'
import type { ListenLimits } from '../wire/limits.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Readiness } from '../wire/routes.ts'
import { listen, type Listener } from '../wire/server.ts'
import { answering, readSecret } from './sealed-door.ts'
import type { SealState, Unsealing } from './unseal-parts.ts'

/** What the port tells people who may be anybody: how far they are, and not who gave what. */
export interface UnsealStatus {
  readonly ready: boolean
  readonly sealed: boolean
  readonly seal?: Omit<SealState, 'givers' | 'reason'>
}

/** A share has 200 bytes, and a passphrase at most 1024 that JSON may escape. */
const limits: Partial<ListenLimits> = {
  bodyBytesMax: 16 * 1024,
  headerBytesMax: 8 * 1024,
  headersMax: 32,
  handshakeMs: 5_000,
  headersMs: 5_000,
  requestMs: 10_000,
  bodyGraceMs: 2_000,
  idleMs: 10_000,
  stallMs: 45_000,
  pipelinedMax: 1,
  connectionsMax: 256,
  connectionsPerSourceMax: 16,
  handshakesMax: 64,
  handshakesPerSourceMax: 8,
  requestsMax: 64,
  requestsPerSourceMax: 8,
  bodyBytesHeldMax: 512 * 1024,
  bodyBytesHeldPerSourceMax: 128 * 1024,
}

/** Calls of one source at once. After them it has one a second. */
const callsAtOnce = 20
const sourcesMax = 4096

export interface UnsealDoorDependencies {
  /** Undefined until the seal is chosen. */
  readonly unsealing: () => Unsealing | undefined
  readonly readiness: () => Promise<Readiness>
  readonly log: Pick<Logger, 'error' | 'info'>
}

/** Returns one listener; none if the settings name no address. */
export async function listenToUnsealers(
  { unsealListen }: Pick<Config, 'unsealListen'>,
  certificates: Certificates | undefined,
  dependencies: UnsealDoorDependencies,
): Promise<readonly Listener[]> {
  if (unsealListen === undefined || certificates === undefined) return []
  const { log } = dependencies
  const { host, port } = unsealListen
  const at = { host, port, listener: 'unseal', tls: certificates.files() } as const
  const listener = await listen({ ...at, limits, log }, createUnsealDoor(dependencies))
  certificates.follow((files) => listener.useTls(files))
  return [listener]
}

export function createUnsealDoor(of: UnsealDoorDependencies): Handler {
  // Memory of its own: a flood here must not fill the table of the request quotas.
  const buckets = createBuckets(bucketMemory(sourcesMax), processMilliseconds)
  const admit = ({ remoteAddress }: RawRequest): void => {
    const bucket = sourceOf(remoteAddress)
    const draw = { bucket, rate: 1, capacity: callsAtOnce, count: 1, ofNode: true } as const
    if (buckets.draw([draw])) return
    throw new KmsError('ThrottlingException', 'too many calls from this address: wait a second')
  }
  const give = async (request: RawRequest): Promise<UnsealStatus['seal']> => {
    const giver = giverOf(request)
    const unsealing = of.unsealing()
    if (unsealing === undefined) throw new KmsError('ServiceUnavailableException', 'not ready yet')
    try {
      const state = await unsealing.give(readSecret(request), giver)
      of.log.info({ giver }, 'a share or passphrase was given over the network')
      return shown(state)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      of.log.info({ giver, why }, 'what was given over the network was refused')
      throw error
    }
  }
  const status = async (): Promise<UnsealStatus> => {
    const unsealing = of.unsealing()
    const sealed = unsealing?.isOpen() !== true
    const state = sealed ? await unsealing?.state() : undefined
    const { ready } = await of.readiness()
    return { ready, sealed, ...(state && { seal: shown(state) }) }
  }
  return answering(of.log, async (request) => {
    admit(request)
    const { operation } = readTarget(request)
    if (operation === 'GetStatus') return status()
    if (operation === 'Unseal') return give(request)
    throw new KmsError('UnknownOperationException')
  })
}

function shown({
  givers: _givers,
  reason: _reason,
  ...seal
}: SealState): Omit<SealState, 'givers' | 'reason'> {
  return seal
}

/** `CN=alice (certificate 0a1b2c3d4e5f6071, from 192.0.2.1)` */
function giverOf({ remoteAddress, clientCertificate }: RawRequest): string {
  if (clientCertificate === undefined) return `unknown (from ${remoteAddress})`
  const { subject, sha256 } = clientCertificate
  return `${subject} (certificate ${sha256.slice(0, 16)}, from ${remoteAddress})`
}
