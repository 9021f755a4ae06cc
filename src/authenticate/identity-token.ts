/**
 * Verifies tokens of OpenID Connect providers against the provider's keys, and extracts the claims that
 * policies may use.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 * @module
 */
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { KmsError } from '../errors.ts'
import { jose } from './jose.ts'
import type { WebIdentityCaller } from '../model/caller.ts'
import { tagPattern } from '../model/identity.ts'
import type { OidcProviderRecord } from '../model/oidc-provider.ts'
import {
  invalidIdentityToken as invalid,
  isTexts,
  readClaims,
  type IdentityClaims,
} from './identity-claims.ts'

export type ProvenIdentity = Omit<WebIdentityCaller, 'provider'>

/** Public-key signatures only: never `none`, and no algorithm with a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
/** Seconds by which the provider's clock may differ. */
const toleranceSeconds = 60

/**
 * The issuer that a token claims, before any check.
 * @throws {KmsError} `InvalidIdentityTokenException`
 */
export function claimedIssuer(token: string): string {
  const { decodeJwt, errors } = jose()
  try {
    const { iss } = decodeJwt(token)
    if (typeof iss === 'string') return iss
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
  }
  throw new KmsError(
    'InvalidIdentityTokenException',
    'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
  )
}

/**
 * Verifies a token.
 * @param now milliseconds since the epoch of the system clock, which the provider's tokens refer to
 * @throws {KmsError} `InvalidIdentityTokenException`, `ExpiredIdentityTokenException`
 */
export async function verifyIdentityToken(
  token: string,
  provider: Pick<OidcProviderRecord, 'url' | 'clientIds'>,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<ProvenIdentity> {
  const { payload } = await jose()
    .jwtVerify(token, keys, {
      issuer: provider.url,
      algorithms,
      requiredClaims: ['sub', 'aud', 'exp', 'iat'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now),
    })
    .catch((error: unknown) => {
      throw refusalOf(error)
    })
  if ((payload.iat ?? 0) > now / 1000 + toleranceSeconds) {
    throw invalid('Token was issued in the future')
  }
  const read = readClaims(payload)
  const { audience, told } = audienceOf(read, provider.clientIds)
  const claims = { ...read.told, ...told }
  const { subject } = read
  return { subject, audience, claims, ...sessionTagsOf(payload), ...sourceIdentityOf(payload) }
}

/** The authorized party of a token takes precedence over its audience, as at AWS. */
function audienceOf(
  { audiences, authorizedParty }: IdentityClaims,
  clientIds: readonly string[],
): { readonly audience: string; readonly told: ProvenIdentity['claims'] } {
  const candidates = authorizedParty === undefined ? audiences : [authorizedParty]
  const audience = candidates.find((each) => clientIds.includes(each))
  if (audience === undefined) throw invalid('Incorrect token audience')
  const told =
    authorizedParty === undefined ? { aud: audiences } : { aud: authorizedParty, oaud: audiences }
  return { audience, told }
}

const tagsClaim = 'https://aws.amazon.com/tags'
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity'
const tagsMax = 50
const tagKeyMax = 128
const tagValueMax = 256

/**
 * The session tags that the provider sets, with one value each.
 * @see
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
function sessionTagsOf(payload: JWTPayload): Pick<ProvenIdentity, 'tags' | 'transitiveTagKeys'> {
  const given = payload[tagsClaim]
  if (given === undefined) return { tags: [], transitiveTagKeys: [] }
  const { principal_tags: named = {}, transitive_tag_keys: handedOn = [] } = membersOf(given)
  const tags = Object.entries(membersOf(named)).map(([Key, values]) => {
    const [Value, ...more]: readonly unknown[] = Array.isArray(values) ? values : [values]
    if (Key.length === 0 || Key.length > tagKeyMax || Key.toLowerCase().startsWith('aws:'))
      throw badTags()
    if (typeof Value !== 'string' || Value.length > tagValueMax || more.length > 0) throw badTags()
    if (!tagPattern.test(Key) || !tagPattern.test(Value)) throw badTags()
    return { Key, Value }
  })
  const keys = new Set(tags.map(({ Key }) => Key.toLowerCase()))
  if (tags.length > tagsMax || keys.size !== tags.length || !isTexts(handedOn)) throw badTags()
  if (!handedOn.every((key) => keys.has(key.toLowerCase()))) throw badTags()
  return { tags, transitiveTagKeys: handedOn }
}

function badTags(): KmsError {
  return invalid('The session tags of the token are not tags')
}

function sourceIdentityOf(payload: JWTPayload): Pick<ProvenIdentity, 'sourceIdentity'> {
  const given = payload[sourceIdentityClaim]
  if (given === undefined) return {}
  if (typeof given === 'string' && /^[\w+=,.@-]{2,64}$/.test(given))
    return { sourceIdentity: given }
  throw invalid('The source identity of the token is none')
}

/** @throws {KmsError} `InvalidIdentityTokenException` when `value` is not an object */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badTags()
  return { ...value }
}

function refusalOf(error: unknown): unknown {
  const { errors } = jose()
  if (error instanceof errors.JWTExpired) {
    return new KmsError('ExpiredIdentityTokenException', 'Token is expired')
  }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
    return invalid('Token is not yet valid')
  }
  if (error instanceof errors.JOSEError)
    return invalid('The ID Token provided could not be verified')
  return error
}
