/**
 * Claims of identity tokens, with their types checked. Policies, sessions and records take a text or a
 * list of texts. A token with anything else in such a claim is refused, because an omitted claim would
 * satisfy every negated condition.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDToken
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 * @module
 */
import type { JWTPayload } from 'jose'
import { KmsError } from '../errors.ts'

const claimsMax = 128
const valuesMax = 512
const charactersMax = 2048

export type ToldClaims = Record<string, string | readonly string[]>

/** The claims that Trent itself reads. */
export interface IdentityClaims {
  readonly subject: string
  /** The recipients of the token, as it lists them. */
  readonly audiences: readonly string[]
  readonly authorizedParty?: string
  /** By claim, as policies ask for them, without `aud` and `oaud`. */
  readonly told: ToldClaims
}

/** Claims that must be a text when present. */
const textClaims: ReadonlySet<string> = new Set(['iss', 'sub', 'azp', 'email'])
/** Claims that must be a text or a list of texts. */
const listClaims: ReadonlySet<string> = new Set(['aud', 'amr'])
/** Times are not condition keys. `identity-token.ts` adds the audience. */
const untold: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'aud', 'oaud'])

/** @throws {KmsError} `InvalidIdentityTokenException` */
export function readClaims(payload: JWTPayload): IdentityClaims {
  requireDistinctNames(Object.keys(payload))
  for (const [name, value] of Object.entries(payload)) requireType(name, value)
  const { sub: subject = '', aud = [], azp } = payload
  if (subject === '' || hasControls(subject)) throw invalidClaim('sub')
  return {
    subject,
    audiences: typeof aud === 'string' ? [aud] : aud,
    ...(typeof azp === 'string' && { authorizedParty: azp }),
    told: toldClaims(payload),
  }
}

/** Condition keys ignore case. Of two claims that differ only in case, one could replace the other. */
function requireDistinctNames(names: readonly string[]): void {
  const folded = new Set(names.map((name) => name.toLowerCase()))
  if (names.length > claimsMax || folded.size < names.length) {
    throw invalidIdentityToken('The token has too many claims, or two that differ in case only')
  }
}

/** Objects, and lists with anything but texts, numbers and booleans, are not condition keys. */
function toldClaims(payload: JWTPayload): ToldClaims {
  const claims: ToldClaims = Object.create(null)
  for (const [name, value] of Object.entries(payload)) {
    if (untold.has(name.toLowerCase())) continue
    const told: unknown = Array.isArray(value) ? value.map(textOf) : textOf(value)
    if (isText(told) || isTexts(told)) claims[name] = told
    else if ([told].flat().every((each) => typeof each === 'string')) throw invalidClaim(name)
  }
  return claims
}

function requireType(name: string, value: unknown): void {
  const folded = name.toLowerCase()
  if (textClaims.has(folded) && !isText(value)) throw invalidClaim(folded)
  if (listClaims.has(folded) && !isText(value) && !isTexts(value)) throw invalidClaim(folded)
}

function textOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

/** A text within its limit. A shortened text could equal another one. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= charactersMax
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= valuesMax && value.every(isText)
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text) || !text.isWellFormed()
}

/** Names the claim only when its name is plain, because the name is the token's own text. */
function invalidClaim(name: string): KmsError {
  if (name === 'sub') return invalidIdentityToken('Invalid token subject')
  if (name === 'aud' || name === 'azp') return invalidIdentityToken('Incorrect token audience')
  const named = /^[\w.:/@-]{1,128}$/.test(name) ? ` ${name}` : ''
  return invalidIdentityToken(
    `The claim${named} of the token is too long, or not of the type that it must have`,
  )
}

export function invalidIdentityToken(message: string): KmsError {
  return new KmsError('InvalidIdentityTokenException', message)
}
