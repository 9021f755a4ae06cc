/**
 * Authenticates a user's request to a service, which the service forwards as proof.
 * @see docs/adr/0015-forward-access-sessions.md
 * @module
 */
import { KmsError } from '../errors.ts'
import type { ForwardedRequest } from '../model/forwarded-request.ts'
import type { RegionTable } from '../model/region.ts'
import { isHostOf, signingNameOf, type ServiceRecord } from '../model/service.ts'
import {
  canonicalPath,
  canonicalPathOfS3,
  canonicalRequest,
  incomplete,
  quote,
  readHeaders,
  readQuery,
} from './canonical.ts'
import { readAnyClaim, skewSeconds } from './claim.ts'
import {
  requireFresh,
  requireScope,
  requireSigned,
  splitTarget,
  usable,
  type SigningKeys,
} from './signature-v4.ts'
import type { SeenSignatures } from './seen-signatures.ts'
import type { Credential, CredentialLookup } from './credential.ts'

export interface ForwardedDependencies {
  readonly regions: RegionTable
  /** The system's time in milliseconds since the epoch. */
  readonly systemNow: number
  readonly credentials: CredentialLookup
  readonly signingKeys: SigningKeys
  readonly seenSignatures: SeenSignatures
}

/** The signer and, when the signer is a service, its forward access session. */
export interface ForwardedSigner {
  readonly credential: Credential
  readonly forwardAccessToken: string | undefined
}

const sha256Hex = /^[0-9a-f]{64}$/
/** S3 signs one of these instead of the hash when the payload is unsigned or signed in chunks. */
const payloadWordsOfS3: readonly string[] = [
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]

/**
 * Proves who signed a request to `service`. The body is not present: the service vouches that the body
 * has the signed hash, and that the request asks for what the service then does. Only that service may
 * act on the result.
 *
 * The scope must be the service's name and Region, and the Host one of its own. The signature must be
 * at most five minutes old, whatever a presigned request says, and not proved before.
 * @throws {KmsError} as `authenticate`, and `ThrottlingException`
 */
export async function unsafeAuthenticateWithoutPayload(
  request: ForwardedRequest,
  service: ServiceRecord,
  dependencies: ForwardedDependencies,
): Promise<ForwardedSigner> {
  const { method, query, payloadHash } = request
  const target = splitTarget(query === '' ? request.path : `${request.path}?${query}`)
  const headers = readHeaders(Object.entries(request.headers).flat())
  const parameters = readQuery(target.query)
  const claim = readAnyClaim(headers, parameters)
  const nowSeconds = Math.floor(dependencies.systemNow / 1000)
  const lifetimeSeconds = Math.min(claim.lifetimeSeconds, skewSeconds)
  requireFresh({ ...claim, lifetimeSeconds }, nowSeconds)
  const signingName = signingNameOf(service.name)
  requireScope(claim, { service: signingName, regions: dependencies.regions })
  const { region } = claim.scope
  if (region !== service.region) throw scopedElsewhere(region)
  // The claim makes sure that `host` is signed.
  if (!isHostOf(service, headers.values.get('host') ?? '')) {
    throw new KmsError('InvalidSignatureException', 'the request is to a host of no such service')
  }
  const ofS3 = signingName === 's3'
  if (!sha256Hex.test(payloadHash) && !(ofS3 && payloadWordsOfS3.includes(payloadHash))) {
    throw incomplete('the payload hash is not a SHA-256 in lower-case hex')
  }
  const credential = await usable(claim, dependencies.credentials)
  const canonical = canonicalRequest({
    method,
    path: ofS3 ? canonicalPathOfS3(target.path) : canonicalPath(target.path),
    parameters,
    headers,
    signedHeaders: claim.signedHeaders,
    payloadHash,
  })
  const signer = requireSigned(
    { claim, canonical, payloadHash },
    credential,
    dependencies.signingKeys,
  )
  // After the check, so that nobody can use up someone else's signature.
  dependencies.seenSignatures.take(claim.signature, claim.signedAt.seconds, nowSeconds)
  return {
    credential: signer,
    forwardAccessToken: headers.values.get('x-amz-forward-access-session'),
  }
}

export function scopedElsewhere(region: string): KmsError {
  const message = `Credential should be scoped to a valid region, not '${quote(region)}'.`
  return new KmsError('InvalidSignatureException', message)
}
