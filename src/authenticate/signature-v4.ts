/**
 * Who signed a request: AWS Signature Version 4, in the header and the presigned form.
 *
 * Accepted risk: a signature may be used again inside its window — five minutes, or as long as
 * `X-Amz-Expires` says, a week at most — as at AWS. It binds method, target, host, every `x-amz-*`
 * header and the body, so what is repeated is the very same call.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 * @module
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { KmsError } from '../errors.ts'
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

/** The type of a parameter here, for who passes it on. */
export type { SigningKeys }

/** What the called service expects of a signature. */
export interface Expected {
  /** The signing name of the called service: `kms`. */
  readonly service: string
  readonly regions: RegionTable
  /** The system's time in milliseconds since the epoch, which no test may move. */
  readonly systemNow: number
}

export interface Authenticated {
  readonly caller: Caller
  /** The Region of the credential scope: the Region of the call. */
  readonly region: string
  readonly partition: string
}

const accessKeyIdPattern = /^\w{3,128}$/

/**
 * Proves who signed `request`, or refuses it.
 * @param credentials looks up an access key; it is asked at most once, and never for a request whose
 * signature cannot be checked as it stands
 * @throws {KmsError} `MissingAuthenticationTokenException` for no signature,
 * `IncompleteSignatureException` for one that leaves something open, `InvalidSignatureException` for one
 * that is stale, out of scope or wrong, `UnrecognizedClientException` for an access key that is not
 * there, is not active or was used with a session token
 */
export async function authenticate(
  request: RawRequest,
  expected: Expected,
  credentials: CredentialLookup,
  signingKeys: SigningKeys,
): Promise<Authenticated> {
  const { path, query } = splitTarget(request.target)
  const headers = readHeaders(request.rawHeaders)
  const parameters = readQuery(query)
  const claim = readClaim(headers, parameters)
  requireFresh(claim, Math.floor(expected.systemNow / 1000))
  const partition = requireScope(claim, expected)

  const credential = await usable(claim, credentials)
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
}

/** What a signature is said to be over. */
export interface Signed {
  readonly claim: Claim
  /** The canonical request. */
  readonly canonical: string
  /** SHA-256 of the body, lower-case hex: what it has, or is said to have. */
  readonly payloadHash: string
}

/**
 * Answers the credential that has signed just this.
 * @throws {KmsError} `UnrecognizedClientException` where there is none, `InvalidSignatureException`
 */
export function requireSigned(
  { claim, canonical, payloadHash }: Signed,
  credential: Credential | undefined,
  signingKeys: SigningKeys,
): Credential {
  const { scope } = claim
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  const text = stringToSign(claim.signedAt.basic, scopeText, canonical)
  // The same work is done for a key that is not there, so that it shows by its error alone.
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

/** AWS says all that is wrong with a scope at once. Answers the Region's partition. */
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

/** The credential, if there is one that may sign this request. */
export async function usable(
  { scope, sessionToken }: Pick<Claim, 'scope' | 'sessionToken'>,
  credentials: CredentialLookup,
): Promise<Credential | undefined> {
  // No access key has any other form: nothing caller-controlled of another size goes further.
  if (!accessKeyIdPattern.test(scope.accessKeyId)) return undefined
  const credential = await credentials(scope.accessKeyId, sessionToken)
  if (credential?.accessKeyId !== scope.accessKeyId || credential.status !== 'Active') {
    return undefined
  }
  // A long-term access key has no session, so a token that comes with it is nobody's.
  return (sessionToken === undefined) === (credential.session === undefined)
    ? credential
    : undefined
}

/** One error for a key that is not there, is not active or came with a token that is not its own. */
export function unrecognized(): KmsError {
  return new KmsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}

/** In constant time; the length of a signature is no secret. */
function sameText(calculated: string, given: string): boolean {
  if (given.length !== calculated.length) return false
  return timingSafeEqual(Buffer.from(calculated, 'latin1'), Buffer.from(given, 'latin1'))
}

/** One error whatever differs. */
function mismatch(): KmsError {
  return new KmsError(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. ' +
      'Consult the service documentation for details.',
  )
}

/** By credential: it goes when its credential does. */
const callers = new WeakMap<Credential, { readonly partition: string; readonly caller: Caller }>()

function callerOf(credential: Credential, partition: string): Caller {
  const known = callers.get(credential)
  if (known?.partition === partition) return known.caller
  const caller = makeCaller(credential, partition)
  callers.set(credential, { partition, caller })
  return caller
}
