/**
 * Parses what a request claims about its own signature, from the `Authorization` header or from the
 * query string of a presigned request. It checks only the form: nothing is looked up and nothing is
 * trusted. Refusals are `IncompleteSignatureException`, in AWS's words where those are known.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 * @module
 */
import { hash } from 'node:crypto'
import { KmsError } from '../errors.ts'
import { compareBytes, incomplete, quote, type HeaderTable, type Parameter } from './canonical.ts'
import type { SigningScope } from './signing-keys.ts'
import { parseTimestamp, type Timestamp } from './timestamp.ts'

export interface Claim {
  readonly scope: SigningScope
  /** `aws4_request` in a valid scope. */
  readonly terminator: string
  readonly signedAt: Timestamp
  /** Seconds after its date that the signature is valid. */
  readonly lifetimeSeconds: number
  /** Lower case, in byte order. They include `host` and every `x-amz-*` header of the request. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly sessionToken: string | undefined
  /** The SHA-256 that the caller declares for the body. */
  readonly declaredPayloadHash: string | undefined
}

/** The fields of either form, as text. */
interface Fields {
  readonly algorithm: string
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  readonly date: string
  readonly expires?: string | undefined
  readonly sessionToken: string | undefined
  readonly declaredPayloadHash: string | undefined
}

/** Seconds before and after its date that a signature is valid, because clocks differ. */
export const skewSeconds = 300
const expiresSecondsMax = 604_800
const signedHeadersMax = 64
const headerNamePattern = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

/** One of these parameters makes a request presigned. */
const presigningNames = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature']
const authorizationNames = ['Credential', 'Signature', 'SignedHeaders'] as const

/** With a second one of these, it would be ambiguous which one counts. */
const singleHeaders = [
  'authorization',
  'content-type',
  'date',
  'host',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-forward-access-session',
  'x-amz-security-token',
  'x-amz-source-account',
  'x-amz-source-arn',
  'x-amz-source-org-id',
  'x-amz-target',
]

/**
 * Parses the claim of a request.
 * @throws {KmsError} `MissingAuthenticationTokenException` when the request is not signed;
 *   `IncompleteSignatureException` when the claim cannot be checked or is ambiguous;
 *   `InvalidSignatureException` when `host` is not signed
 */
export function readClaim(headers: HeaderTable, parameters: readonly Parameter[]): Claim {
  const claim = readAnyClaim(headers, parameters)
  const declared = claim.declaredPayloadHash
  if (declared === 'UNSIGNED-PAYLOAD' || declared?.startsWith('STREAMING-')) {
    throw incomplete(`the payload must be signed: \`${quote(declared)}\` is not taken`)
  }
  return claim
}

/**
 * Like `readClaim`, for requests to any service: S3 accepts payloads that are unsigned or signed in
 * chunks.
 * @throws {KmsError}
 */
export function readAnyClaim(headers: HeaderTable, parameters: readonly Parameter[]): Claim {
  const authorization = headers.values.get('authorization')
  const presigned = parameters.some(({ name }) => presigningNames.includes(name))
  if (authorization !== undefined && presigned) {
    throw incomplete(
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
  }
  const repeated =
    headers.repeated.size === 0
      ? undefined
      : singleHeaders.find((name) => headers.repeated.has(name))
  if (repeated !== undefined) throw incomplete(`the header \`${repeated}\` is there more than once`)
  if (presigned) return claimOf(queryFields(headers, parameters), headers)
  if (authorization === undefined || authorization === '') {
    throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  return claimOf(headerFields(headers, authorization), headers)
}

/** The parameters of an `Authorization` header; empty if absent. */
interface Authorization {
  readonly algorithm: string
  readonly Credential: string
  readonly SignedHeaders: string
  readonly Signature: string
}

const hexSignature = /^[0-9a-f]{64}$/

/** A cache of one: all requests of a client have the same text before their signatures. */
let lastAuthorization: { readonly before: string; readonly parsed: Authorization } | undefined

function readAuthorization(text: string): Authorization {
  const end = text.slice(-64)
  const before = text.slice(0, -64)
  if (before === lastAuthorization?.before && hexSignature.test(end)) {
    return { ...lastAuthorization.parsed, Signature: end }
  }
  const [algorithm = '', ...pieces] = text.split(/[, ]+/)
  const found = new Map<string, string>()
  for (const piece of pieces) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    if (equals === -1) {
      throw incomplete(
        'Invalid key=value pair (missing equal-sign) in Authorization header ' +
          `(hashed with SHA-256 and encoded with Base64): '${digestOf(text)}'.`,
      )
    }
    const name = piece.slice(0, equals)
    if (found.has(name)) throw incomplete('the Authorization header names a parameter twice')
    found.set(name, piece.slice(equals + 1))
  }
  const [Credential = '', Signature = '', SignedHeaders = ''] = authorizationNames.map((name) =>
    found.get(name),
  )
  const parsed = { algorithm, Credential, SignedHeaders, Signature }
  if (Signature === end && hexSignature.test(end)) lastAuthorization = { before, parsed }
  return parsed
}

function headerFields(headers: HeaderTable, authorization: string): Fields {
  const parsed = readAuthorization(authorization)
  const { values } = headers
  const date = values.get('x-amz-date') ?? values.get('date') ?? ''
  let missing = ''
  for (const name of authorizationNames) {
    if (parsed[name] !== '') continue
    missing += `Authorization header requires '${name}' parameter. `
  }
  if (date === '') {
    missing +=
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
  }
  if (missing !== '') {
    throw incomplete(
      `${missing}(Hashed with SHA-256 and encoded with Base64) ` +
        `Authorization=${digestOf(authorization)}`,
    )
  }
  return {
    algorithm: parsed.algorithm,
    credential: parsed.Credential,
    signedHeaders: parsed.SignedHeaders,
    signature: parsed.Signature,
    date,
    sessionToken: values.get('x-amz-security-token'),
    declaredPayloadHash: values.get('x-amz-content-sha256'),
  }
}

/** AWS names the header by its hash, so that a credential in it by mistake is not repeated. */
function digestOf(authorization: string): string {
  return hash('sha256', Buffer.from(authorization, 'latin1'), 'base64')
}

function queryFields(headers: HeaderTable, parameters: readonly Parameter[]): Fields {
  const found = new Map<string, string>()
  for (const { name, value } of parameters) {
    if (!name.startsWith('X-Amz-')) continue
    // A header and a parameter with the same meaning also count as two.
    if (found.has(name) || headers.values.has(name.toLowerCase())) {
      throw incomplete(`\`${quote(name)}\` is there more than once`)
    }
    found.set(name, value)
  }
  const missing = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
    'X-Amz-Date',
  ]
    .filter((name) => (found.get(name) ?? '') === '')
    .map((name) => `AWS query-string parameters must include '${name}'. `)
  if (missing.length > 0) {
    throw incomplete(`${missing.join('')}Re-examine the query-string parameters.`)
  }
  const { values } = headers
  return {
    algorithm: found.get('X-Amz-Algorithm') ?? '',
    credential: found.get('X-Amz-Credential') ?? '',
    signedHeaders: found.get('X-Amz-SignedHeaders') ?? '',
    signature: found.get('X-Amz-Signature') ?? '',
    date: found.get('X-Amz-Date') ?? '',
    expires: found.get('X-Amz-Expires'),
    sessionToken: found.get('X-Amz-Security-Token') ?? values.get('x-amz-security-token'),
    declaredPayloadHash: found.get('X-Amz-Content-Sha256') ?? values.get('x-amz-content-sha256'),
  }
}

function claimOf(fields: Fields, headers: HeaderTable): Claim {
  const signedAt = parseTimestamp(fields.date)
  if (signedAt === undefined) {
    throw incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${quote(fields.date)}'. ` +
        'See http://en.wikipedia.org/wiki/ISO_8601',
    )
  }
  const signedHeaders = readSignedHeaders(fields.signedHeaders, headers)
  if (fields.algorithm !== 'AWS4-HMAC-SHA256') {
    const got = quote(fields.algorithm)
    throw incomplete(`Unsupported AWS 'algorithm': '${got}' (only AWS4-HMAC-SHA256 for now).`)
  }
  const elements = fields.credential.split('/')
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = elements
  if (elements.length !== 5 || elements.includes('')) {
    throw incomplete(
      'Credential must have exactly 5 slash-delimited elements, ' +
        `e.g. keyid/date/region/service/term, got '${quote(fields.credential)}'`,
    )
  }
  const { signature, sessionToken, declaredPayloadHash } = fields
  return {
    scope: { accessKeyId, date, region, service },
    terminator,
    signedAt,
    lifetimeSeconds: readExpires(fields.expires),
    signedHeaders,
    signature,
    sessionToken,
    declaredPayloadHash,
  }
}

/**
 * Requires a signature over all headers that decide. Otherwise an attacker could send a captured
 * request with another operation's target.
 */
function readSignedHeaders(text: string, headers: HeaderTable): readonly string[] {
  const names = splitSignedHeaders(text)
  if (!names.includes('host')) {
    const message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    throw new KmsError('InvalidSignatureException', message)
  }
  for (const name of headers.values.keys()) {
    if (name.startsWith('x-amz-') && !names.includes(name)) {
      throw incomplete(
        `'${quote(name)}' must be a 'SignedHeader' in the AWS Authorization. ` +
          'Every x-amz-* header must be signed, because it can change what a request means.',
      )
    }
  }
  const absent = names.find((name) => !headers.values.has(name))
  if (absent !== undefined) throw incomplete(`the signed header \`${quote(absent)}\` is absent`)
  return names
}

/** A cache of one: a client's requests sign the same headers, and parsing the names takes 1 µs. */
let lastSplit: { readonly text: string; readonly names: readonly string[] } | undefined

function splitSignedHeaders(text: string): readonly string[] {
  if (text === lastSplit?.text) return lastSplit.names
  const names = text.split(';')
  if (names.length > signedHeadersMax) {
    throw incomplete(`more than ${signedHeadersMax} headers are signed`)
  }
  for (const [index, name] of names.entries()) {
    if (!headerNamePattern.test(name) || compareBytes(names[index - 1] ?? '', name) >= 0) {
      throw incomplete('signed headers must be lower-case names in order, divided by semicolons')
    }
  }
  lastSplit = { text, names }
  return names
}

/** A presigned request without `X-Amz-Expires` is valid as long as any other request. */
function readExpires(text: string | undefined): number {
  if (text === undefined) return skewSeconds
  if (!/^-?\d+$/.test(text)) throw incomplete('X-Amz-Expires should be a number')
  const seconds = Number(text)
  if (seconds < 0) throw incomplete('X-Amz-Expires must be non-negative')
  if (seconds === 0) throw incomplete('X-Amz-Expires must be at least 1 second')
  if (seconds > expiresSecondsMax) {
    throw incomplete(
      'X-Amz-Expires must be less than a week (in seconds); ' +
        'that is, the given X-Amz-Expires must be less than 604800 seconds',
    )
  }
  return seconds
}
