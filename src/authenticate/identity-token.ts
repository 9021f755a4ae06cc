/**
 * Tokens of OpenID Connect providers: verified against the provider's keys, and told as what policies may
 * ask of them.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 * @module
 */
import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { KmsError } from '../errors.ts'
import type { WebIdentityCaller } from '../model/caller.ts'
import type { OidcProviderRecord } from '../model/oidc-provider.ts'

export type ProvenIdentity = Omit<WebIdentityCaller, 'provider'>

/** Signatures alone: never `none`, and no algorithm whose key is a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
/** How far the provider's clock may be from ours. */
const toleranceSeconds = 60
const claimsMax = 64
const claimCharactersMax = 2048
/** Times, which no policy asks for as they are. */
const untold: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf'])

/**
 * Whose token it says it is, before anything of it is believed.
 * @throws {KmsError} `InvalidIdentityTokenException`
 */
export function claimedIssuer(token: string): string {
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
 * @param now milliseconds since the epoch, of the system's clock: the provider's tokens live by it
 * @throws {KmsError} `InvalidIdentityTokenException`, `ExpiredIdentityTokenException`
 */
export async function verifyIdentityToken(
  token: string,
  provider: Pick<OidcProviderRecord, 'url' | 'clientIds'>,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<ProvenIdentity> {
  const { payload } = await jwtVerify(token, keys, {
    issuer: provider.url,
    algorithms,
    requiredClaims: ['sub', 'aud', 'exp', 'iat'],
    clockTolerance: toleranceSeconds,
    currentDate: new Date(now),
  }).catch((error: unknown) => {
    throw refusalOf(error)
  })
  if ((payload.iat ?? 0) > now / 1000 + toleranceSeconds) {
    throw invalid('Token was issued in the future')
  }
  const subject = payload.sub ?? ''
  if (subject === '' || subject.length > claimCharactersMax) throw invalid('Invalid token subject')
  const { audience, told } = audienceOf(payload, provider.clientIds)
  const claims = { ...claimsOf(payload), sub: subject, ...told }
  return { subject, audience, claims, ...sessionTagsOf(payload), ...sourceIdentityOf(payload) }
}

/** The party that a token is authorized for stands before its audience, as at AWS. */
function audienceOf(
  { aud = [], azp }: JWTPayload,
  clientIds: readonly string[],
): { readonly audience: string; readonly told: ProvenIdentity['claims'] } {
  const named = typeof aud === 'string' ? [aud] : aud
  const candidates = typeof azp === 'string' ? [azp] : named
  const audience = candidates.find((each) => clientIds.includes(each))
  if (audience === undefined || !named.every((each) => typeof each === 'string')) {
    throw invalid('Incorrect token audience')
  }
  const told = typeof azp === 'string' ? { aud: azp, oaud: named } : { aud: named }
  return { audience, told }
}

function claimsOf(payload: JWTPayload): Record<string, string | readonly string[]> {
  const claims: Record<string, string | readonly string[]> = Object.create(null)
  const entries = Object.entries(payload).filter(([name]) => !untold.has(name))
  for (const [name, value] of entries.slice(0, claimsMax)) {
    if (name.length > claimCharactersMax) continue
    const told: unknown = Array.isArray(value) ? value.map(toldOf) : toldOf(value)
    if (typeof told === 'string' && told.length <= claimCharactersMax) claims[name] = told
    else if (isTexts(told)) claims[name] = told
  }
  return claims
}

function toldOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

/** What is no text, and what is too long, is not told at all: a cut value could be another's. */
function isTexts(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= claimsMax &&
    value.every((each) => typeof each === 'string' && each.length <= claimCharactersMax)
  )
}

const tagsClaim = 'https://aws.amazon.com/tags'
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity'
const tagsMax = 50
const tagKeyMax = 128
const tagValueMax = 256

/**
 * Tags that the provider gives to the session: one value each.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
function sessionTagsOf(payload: JWTPayload): Pick<ProvenIdentity, 'tags' | 'transitiveTagKeys'> {
  const given = payload[tagsClaim]
  if (given === undefined) return { tags: [], transitiveTagKeys: [] }
  const { principal_tags: named, transitive_tag_keys: handedOn = [] } = membersOf(given)
  const tags = Object.entries(membersOf(named)).map(([Key, values]) => {
    const [Value, ...more]: readonly unknown[] = Array.isArray(values) ? values : [values]
    if (Key.length === 0 || Key.length > tagKeyMax || Key.toLowerCase().startsWith('aws:'))
      throw badTags()
    if (typeof Value !== 'string' || Value.length > tagValueMax || more.length > 0) throw badTags()
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

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function refusalOf(error: unknown): unknown {
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

function invalid(message: string): KmsError {
  return new KmsError('InvalidIdentityTokenException', message)
}
