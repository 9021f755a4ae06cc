/**
 * Authenticates the signer of a request: AWS Signature Version 4, in the header and the presigned form.
 *
 * Accepted risk: a signature may be used again within its window, as at AWS. That is five minutes, or
 * `X-Amz-Expires`, at most a week. It binds method, target, host, every `x-amz-*` header and the body,
 * so a replay repeats exactly the same call.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 * @module
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { KmsError } from '../errors.ts'
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { RegionTable } from '../model/region.ts'
import type { RawRequest } from '../wire/request.ts'
import {
  canonicalPath,
  canonicalRequest,
  incomplete,
  quote,
  readHeaders,
  readQuery,
  stringToSign,
} from './canonical.ts'
import { makeCaller } from './caller.ts'
import { readClaim, skewSeconds, type Claim } from './claim.ts'
import type { SigningKeys } from './signing-keys.ts'
import { formatBasic } from './timestamp.ts'
import type { Credential, CredentialLookup } from './credential.ts'

/** Re-exported for callers that pass it on. */
export type { SigningKeys }

/** What a signature must match. */
export interface Expected {
  /** The signing name of the called service: `kms`. */
  readonly service: string
  readonly regions: RegionTable
  /** The system's time in milliseconds since the epoch. Tests cannot move it. */
  readonly systemNow: number
}

export interface Authenticated {
  readonly caller: Caller
  /** The Region of the credential scope, which is the Region of the call. */
  readonly region: string
  readonly partition: string
}

const accessKeyIdPattern = /^\w{3,128}$/

/**
 * Proves who signed `request`, or refuses it: at once if the credential is cached.
 * @param credentials looks up an access key. It is called at most once, and never for a request that
 *   cannot be checked.
 * @throws {KmsError} `MissingAuthenticationTokenException` without a signature,
 *   `IncompleteSignatureException` for an ambiguous one, `InvalidSignatureException` for one that is
 *   stale, out of scope or wrong, `UnrecognizedClientException` for an access key that does not exist,
 *   is not active or came with a wrong session token
 */
export function authenticate(
  request: RawRequest,
  expected: Expected,
  credentials: CredentialLookup,
  signingKeys: SigningKeys,
): Awaitable<Authenticated> {
  const { path, query } = splitTarget(request.target)
  const headers = readHeaders(request.rawHeaders)
  const parameters = readQuery(query)
  const claim = readClaim(headers, parameters)
  requireFresh(claim, Math.floor(expected.systemNow / 1000))
  const partition = requireScope(claim, expected)

  return andThen(usable(claim, credentials), (credential) => {
    const payloadHash = hash('sha256', request.body, 'hex')
    const canonical = canonicalRequest({
      method: request.method,
      path: canonicalPath(path),
      parameters,
      headers,
      signedHeaders: claim.signedHeaders,
      payloadHash,
    })
    const signer = requireSigned({ claim, canonical, payloadHash }, credential, signingKeys)
    return { caller: callerOf(signer, partition), region: claim.scope.region, partition }
  })
}

/** What a signature covers. */
export interface SignedRequest {
  readonly claim: Claim
  /** The canonical request. */
  readonly canonical: string
  /** SHA-256 of the body, lower-case hex: computed, or declared by the caller. */
  readonly payloadHash: string
}

/**
 * Returns the credential that signed exactly this.
 * @throws {KmsError} `UnrecognizedClientException` without a credential, `InvalidSignatureException`
 */
export function requireSigned(
  { claim, canonical, payloadHash }: SignedRequest,
  credential: Credential | undefined,
  signingKeys: SigningKeys,
): Credential {
  const { scope } = claim
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  const text = stringToSign(claim.signedAt.basic, scopeText, canonical)
  // An unknown access key takes the same work, so that only the error differs and not the time.
  const secret = credential?.signingSecret ?? signingKeys.decoy
  const signingKey = signingKeys.of(scope, secret)
  const right = sameText(
    createHmac('sha256', signingKey).update(text, 'latin1').digest('hex'),
    claim.signature,
  )
  if (credential === undefined) throw unrecognized()
  const declared = claim.declaredPayloadHash
  if (!right || (declared !== undefined && declared !== payloadHash)) throw mismatch()
  signingKeys.remember(scope, secret, signingKey)
  return credential
}

/** @throws {KmsError} `IncompleteSignatureException` unless `target` is in origin form */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(target)) {
    throw incomplete('the request target is not in origin form')
  }
  const mark = target.indexOf('?')
  if (mark === -1) return { path: target, query: '' }
  return { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

export function requireFresh(
  { signedAt, lifetimeSeconds }: Pick<Claim, 'signedAt' | 'lifetimeSeconds'>,
  nowSeconds: number,
): void {
  const { basic, seconds } = signedAt
  if (seconds < nowSeconds - lifetimeSeconds) {
    const bound = formatBasic(nowSeconds - lifetimeSeconds)
    const lifetime =
      lifetimeSeconds % 60 === 0 ? `${lifetimeSeconds / 60} min.` : `${lifetimeSeconds} sec.`
    const window = `${formatBasic(nowSeconds)} - ${lifetime}`
    throw new KmsError(
      'InvalidSignatureException',
      `Signature expired: ${basic} is now earlier than ${bound} (${window})`,
    )
  }
  if (seconds > nowSeconds + skewSeconds) {
    const bound = formatBasic(nowSeconds + skewSeconds)
    const window = `${formatBasic(nowSeconds)} + 5 min.`
    throw new KmsError(
      'InvalidSignatureException',
      `Signature not yet current: ${basic} is still later than ${bound} (${window})`,
    )
  }
}

/** Checks the scope, and reports all of its faults at once, as AWS does. Returns the Region's partition. */
export function requireScope(
  { scope, terminator, signedAt }: Claim,
  expected: Pick<Expected, 'service' | 'regions'>,
): string {
  const partition = expected.regions.partitionOf(scope.region)
  const day = signedAt.basic.slice(0, 8)
  const right =
    scope.service === expected.service && terminator === 'aws4_request' && scope.date === day
  if (partition !== undefined && right) return partition
  const faults: string[] = []
  if (partition === undefined) {
    faults.push(`Credential should be scoped to a valid region, not '${quote(scope.region)}'.`)
  }
  if (scope.service !== expected.service) {
    faults.push(`Credential should be scoped to correct service: '${expected.service}'.`)
  }
  if (terminator !== 'aws4_request') {
    faults.push(
      "Credential should be scoped with a valid terminator: 'aws4_request', " +
        `not '${quote(terminator)}'.`,
    )
  }
  if (scope.date !== day) {
    faults.push(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        `'${quote(scope.date)}' != '${day}', from '${signedAt.basic}'.`,
    )
  }
  throw new KmsError('InvalidSignatureException', faults.join(' '))
}

/** The credential, if it may sign this request. */
export function usable(
  { scope, sessionToken }: Pick<Claim, 'scope' | 'sessionToken'>,
  credentials: CredentialLookup,
): Awaitable<Credential | undefined> {
  // Every access key has this form. Caller-controlled text of another length stops here.
  if (!accessKeyIdPattern.test(scope.accessKeyId)) return undefined
  return andThen(credentials(scope.accessKeyId, sessionToken), (credential) => {
    if (credential?.accessKeyId !== scope.accessKeyId || credential.status !== 'Active') {
      return undefined
    }
    // A long-term access key has no session, so a session token with it is refused.
    return (sessionToken === undefined) === (credential.session === undefined)
      ? credential
      : undefined
  })
}

/** One error for an access key that does not exist, is not active or came with another key's token. */
export function unrecognized(): KmsError {
  return new KmsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}

const hexBytes = 64
const calculatedBytes = Buffer.alloc(hexBytes)
const givenBytes = Buffer.alloc(hexBytes)

/** Compares two signatures in constant time. The length of a signature is not secret. */
function sameText(calculated: string, given: string): boolean {
  if (given.length !== hexBytes) return false
  calculatedBytes.write(calculated, 'latin1')
  givenBytes.write(given, 'latin1')
  return timingSafeEqual(calculatedBytes, givenBytes)
}

/** One error, whatever differs. */
function mismatch(): KmsError {
  return new KmsError(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. ' +
      'Consult the service documentation for details.',
  )
}

/** Callers by credential. An entry goes with its credential. */
const callers = new WeakMap<Credential, { readonly partition: string; readonly caller: Caller }>()

function callerOf(credential: Credential, partition: string): Caller {
  const known = callers.get(credential)
  if (known?.partition === partition) return known.caller
  const caller = makeCaller(credential, partition)
  callers.set(credential, { partition, caller })
  return caller
}
