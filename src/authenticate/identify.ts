/** Step 3: who calls, and in which account and Region. @module */
import { KmsError } from '../errors.ts'
import { andThen, orElse, type Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { Clock } from '../model/clock.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { RegionTable } from '../model/region.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Target } from '../wire/aws-json.ts'
import { readCallInput } from '../wire/call-input.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Lookup } from '../cache/cached-records.ts'
import type { CredentialLookup } from './credential.ts'
import type { OpenForwardAccess } from './forward-access.ts'
import type { Refusals } from './refusals.ts'
import { authenticate, type SigningKeys } from './signature-v4.ts'
import type { GivenIdentity } from './web-identity.ts'
import { identifyXksClient } from './xks-client.ts'

export interface IdentifyDependencies {
  readonly clock: Clock
  readonly regions: RegionTable
  readonly credentials: CredentialLookup
  readonly lookup: Pick<Lookup, 'refresh' | 'servedProxy'>
  readonly signingKeys: SigningKeys
  /** The caller of a request that a service signed for somebody. */
  readonly callerOf: OpenForwardAccess['callerOf']
  /** Counts requests that prove no caller. */
  readonly refusals: Pick<Refusals, 'note'>
  /** The caller behind an identity token. @throws {KmsError} */
  readonly tokenBearer: (given: GivenIdentity) => Promise<readonly [Caller, RequestScope]>
  /** The caller at the operator door or the test API. */
  readonly internalCaller: (
    door: 'operator' | 'test',
    request: Pick<RawRequest, 'peer'>,
  ) => readonly [Caller, RequestScope]
}

/** A request, and the operation that it asks for. */
export interface Identifying {
  readonly request: RawRequest
  readonly operation: Operation
  /** Milliseconds since the epoch, of the system's clock: the signature's age is measured from here. */
  readonly arrivedAt: number
  /** Present for routes that are not AWS's API. */
  readonly route: Target | undefined
}

/**
 * Each door serves only the operations that declare it.
 * @throws {KmsError} `UnknownOperationException`, or what the signature or token is refused with
 */
export function identify(
  { request, operation, arrivedAt, route }: Identifying,
  dependencies: IdentifyDependencies,
): Awaitable<readonly [Caller, RequestScope]> {
  const { door } = operation
  if (!doorsTo(request, route).includes(door)) throw new KmsError('UnknownOperationException')
  if (door === 'operator' || door === 'test') {
    if (door === 'operator') requireOperator(request, operation, dependencies)
    return dependencies.internalCaller(door, request)
  }
  const prove = (): Awaitable<readonly [Caller, RequestScope]> =>
    door === 'token'
      ? bearer(request, operation, dependencies)
      : door === 'xks-proxy'
        ? identifyXksClient(request, arrivedAt, dependencies)
        : signer(request, { service: operation.service, systemNow: arrivedAt }, dependencies)
  return orElse(prove, (error) => {
    if (error instanceof KmsError) dependencies.refusals.note(error.code, request.remoteAddress)
    throw error
  })
}

/**
 * INVARIANT (who did it): nobody changes anything through the operator door whom the system does not name.
 * @throws {KmsError} `AccessDeniedException`
 */
function requireOperator(
  { peer }: RawRequest,
  { readOnly }: Operation,
  { refusals }: Pick<IdentifyDependencies, 'refusals'>,
): void {
  if (peer !== undefined || readOnly) return
  refusals.note('AccessDeniedException', 'the operator socket')
  throw unknownOperator()
}

export function unknownOperator(): KmsError {
  const message = 'the system does not say which user calls: an unknown operator may change nothing'
  return new KmsError('AccessDeniedException', message)
}

/** The doors that a request can use. */
export function doorsTo(
  { listener }: Pick<RawRequest, 'listener'>,
  route: Target | undefined,
): readonly Operation['door'][] {
  if (route !== undefined) return ['test', 'service', 'signed']
  if (listener === 'xks-proxy') return ['xks-proxy']
  return listener === 'operator' ? ['operator'] : ['signed', 'token']
}

function signer(
  request: RawRequest,
  { service, systemNow }: { readonly service: Operation['service']; readonly systemNow: number },
  { credentials, signingKeys, regions, callerOf }: IdentifyDependencies,
): Awaitable<readonly [Caller, RequestScope]> {
  const expected = { service, regions, systemNow }
  return andThen(authenticate(request, expected, credentials, signingKeys), (signed) => {
    const { region, partition } = signed
    return andThen(callerOf(signed, request), (caller) => [
      caller,
      { accountId: caller.accountId, region, partition },
    ])
  })
}

/** The token is a member of the input. So the input is read before the caller is known. */
function bearer(
  request: RawRequest,
  operation: Operation,
  { tokenBearer }: IdentifyDependencies,
): Awaitable<readonly [Caller, RequestScope]> {
  const { token } = operation
  if (token === undefined) throw new Error(`${operation.name} does not say where its token is`)
  const input = readCallInput(operation, request)
  operation.check?.(input)
  return tokenBearer({ roleArn: String(input[token.role]), token: String(input[token.from]) })
}
