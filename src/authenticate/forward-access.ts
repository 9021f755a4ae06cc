/**
 * Forward access sessions: a service proves a user's request that it received, and may then call for
 * that user for some minutes, in requests that it signs itself.
 *
 * INVARIANT (no wider than the user): a forwarded caller is the user's own caller. It is built at each
 * use from the user's credentials as they are then, with the session's policies and end. Only the names
 * of the calling services are added.
 * @see docs/adr/0015-forward-access-sessions.md
 * @module
 */
import { makeCaller } from './caller.ts'
import {
  scopedElsewhere,
  unsafeAuthenticateWithoutPayload,
  type ForwardedDependencies,
  type ForwardedSigner,
} from './forwarded-request.ts'
import {
  forwardTokenCharactersMax,
  type ForwardAccessSession,
  type ForwardAccessTokens,
} from './forward-access-tokens.ts'
import type { Authenticated } from './signature-v4.ts'
import { KmsError } from '../errors.ts'
import { parseArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import type { Clock } from '../model/clock.ts'
import { callingService, type ServicePrincipal } from '../model/service.ts'
import { firstHeader } from '../wire/headers.ts'
import type { RawRequest } from '../wire/request.ts'
import { createCache } from '../cache/cache.ts'
import { expired, type StandingCheck } from './credentials.ts'
import type { ForwardAccess } from '../operations/contract/dependencies.ts'
import type { Owned } from './credential.ts'
import type { Lookup } from '../cache/cached-records.ts'

export interface ForwardAccessDependencies extends Omit<ForwardedDependencies, 'systemNow'> {
  readonly tokens: ForwardAccessTokens
  readonly standing: StandingCheck
  readonly lookup: Pick<Lookup, 'service'>
  readonly clock: Pick<Clock, 'now' | 'system'>
}

export interface OpenForwardAccess extends ForwardAccess {
  /**
   * The caller of a signed request: the signer, or, when a service signed, the user that it calls for,
   * or the service with the resource that it calls for.
   * @throws {KmsError}
   */
  readonly callerOf: (
    signed: Authenticated,
    request: Pick<RawRequest, 'rawHeaders'>,
  ) => Caller | Promise<Caller>
}

/** Services in one chain of calls. No real chain is longer. */
const viaMax = 5
const compiledBytesPerCharacter = 80
const sessionsBytesMax = 32 * 2 ** 20

export const forwardAccessHeader = 'x-amz-forward-access-session'
const sourceArnHeader = 'x-amz-source-arn'
const sourceAccountHeader = 'x-amz-source-account'
const sourceOrgHeader = 'x-amz-source-org-id'
const sourceHeaders = [sourceArnHeader, sourceAccountHeader, sourceOrgHeader]

/**
 * @throws {KmsError} when the session belongs to another service, is over, or its user's credentials
 *   are no longer valid
 */
type Open = (
  serviceKeyId: string,
  token: string,
) => Promise<{ readonly held: ForwardAccessSession; readonly owned: Owned }>

export function createForwardAccess(dependencies: ForwardAccessDependencies): OpenForwardAccess {
  const open = opener(dependencies)
  const forwardedCaller = async (
    { caller, partition }: Authenticated,
    { name, regionalName }: ServicePrincipal,
    token: string,
  ): Promise<Caller> => {
    const { held, owned } = await open(caller.accessKeyId ?? '', token)
    const forwarded = { via: held.via, service: { name, regionalName }, issuedAt: held.issuedAt }
    return { ...makeCaller(owned, partition), forwarded }
  }
  return {
    callerOf(authenticated, { rawHeaders }) {
      const { caller, region } = authenticated
      const { service } = caller
      const token = firstHeader(rawHeaders, forwardAccessHeader)
      if (service === undefined) {
        // Only services may send this header.
        if (token !== undefined) throw invalidToken()
        return caller
      }
      if (service.region !== region) throw scopedElsewhere(region)
      if (token === undefined)
        return { ...caller, service: { ...service, ...sourceOf(rawHeaders) } }
      if (sourceHeaders.some((name) => firstHeader(rawHeaders, name) !== undefined)) {
        throw invalid(
          'a source is said of a service in its own name, not of one that calls for a user',
        )
      }
      return forwardedCaller(authenticated, service, token)
    },
    async prove(request, serviceKeyId, { partition, lifetimeMs }) {
      const { lookup, clock, tokens } = dependencies
      const service = (await lookup.service(serviceKeyId))?.record
      if (service === undefined) throw invalidToken()
      const proving = { ...dependencies, systemNow: clock.system() }
      const signer = await unsafeAuthenticateWithoutPayload(request, service, proving).catch(
        toldOfForwarded,
      )
      const { owned, ...before } = await chainOf(signer, open)
      const via = [...before.via, service.name]
      if (via.length > viaMax) throw invalid(`more than ${viaMax} services call for one another`)
      const issuedAt = clock.now()
      const expiresAt = Math.min(issuedAt + lifetimeMs, before.expiresAt)
      const { accessKeyId, session } = owned
      const held = { accessKeyId, ...(session && { session }), via, issuedAt, expiresAt }
      const forwarded = { via, service: callingService(service), issuedAt }
      const caller = { ...makeCaller(owned, partition), forwarded }
      return { token: tokens.seal(serviceKeyId, held), caller, expiresAt }
    },
  }
}

function opener({ tokens, standing, clock }: ForwardAccessDependencies): Open {
  // One object while its token is cached, because its compiled policy is cached by that object.
  const opened = createCache<ForwardAccessSession>({
    bytesMax: sessionsBytesMax,
    load: (name) => {
      const [, keyId = '', token = ''] = name.split('/')
      return Promise.resolve(tokens.open(keyId, token))
    },
    sizeOf: ({ session }) => 4096 + compiledBytesPerCharacter * (session?.policy?.length ?? 0),
  })
  return async (serviceKeyId, token) => {
    if (token.length > forwardTokenCharactersMax) throw invalidToken()
    const held = await opened.get(`${tokens.oldestKey()}/${serviceKeyId}/${token}`)
    if (held === undefined) throw invalidToken()
    if (held.expiresAt <= clock.now()) throw expired()
    const owned = await standing(held.accessKeyId, held.session, held.issuedAt)
    if (owned === undefined) throw invalidToken()
    return { held, owned }
  }
}

/**
 * Marks errors about the forwarded request. The service's own request may fail with the same codes, and
 * the service must be able to tell them apart.
 */
function toldOfForwarded(error: unknown): never {
  if (!(error instanceof KmsError)) throw error
  throw new KmsError(error.code, `The forwarded request is refused: ${error.message}`)
}

/**
 * The user that the signer calls for, the services in between, and the end of the session. @throws
 * {KmsError}
 */
async function chainOf(
  { credential, forwardAccessToken: token }: ForwardedSigner,
  open: Open,
): Promise<{
  readonly owned: Owned
  readonly via: readonly string[]
  readonly expiresAt: number
}> {
  const { service, accessKeyId, session } = credential
  if (service !== undefined) {
    if (token === undefined) throw invalid('a service in its own name is no user to call for')
    const { held, owned } = await open(accessKeyId, token)
    return { owned, via: held.via, expiresAt: held.expiresAt }
  }
  if (token !== undefined) throw invalidToken()
  if (session?.kind === 'infrastructure') {
    throw invalid('infrastructure of a service is no user to call for')
  }
  return { owned: credential, via: [], expiresAt: session?.expiresAt ?? Infinity }
}

/** @throws {KmsError} `ValidationException` */
function sourceOf(
  rawHeaders: RawRequest['rawHeaders'],
): Pick<ServicePrincipal, 'sourceArn' | 'sourceAccount' | 'sourceOrgId'> {
  const sourceArn = firstHeader(rawHeaders, sourceArnHeader)
  const sourceAccount = firstHeader(rawHeaders, sourceAccountHeader)
  const sourceOrgId = firstHeader(rawHeaders, sourceOrgHeader)
  if (sourceArn !== undefined && (sourceArn.length > 512 || parseArn(sourceArn) === undefined)) {
    throw invalid('`X-Amz-Source-Arn` is not the ARN of a resource')
  }
  if (sourceAccount !== undefined && !/^\d{12}$/.test(sourceAccount)) {
    throw invalid('`X-Amz-Source-Account` is not the id of an account')
  }
  if (sourceOrgId !== undefined && !/^o-[a-z0-9]{10,32}$/.test(sourceOrgId)) {
    throw invalid('`X-Amz-Source-Org-Id` is not the id of an organization')
  }
  return {
    ...(sourceArn !== undefined && { sourceArn }),
    ...(sourceAccount !== undefined && { sourceAccount }),
    ...(sourceOrgId !== undefined && { sourceOrgId }),
  }
}

function invalidToken(): KmsError {
  return new KmsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
