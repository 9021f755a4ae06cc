/**
 * The canonical request and the string to sign of AWS Signature Version 4.
 * Text is latin1 here: one character is one byte of the wire, so the hashed bytes are the sent bytes.
 * Verified with AWS's test suite.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @module
 */
import { hash } from 'node:crypto'
import { KmsError } from '../errors.ts'

/** Limits on caller-controlled input. All of it is read before any signature is checked. */
const limits = { headers: 128, headerChars: 8192, queryChars: 16_384, parameters: 64 }

/** Header fields by lower-case name. */
export interface HeaderTable {
  /** Values are trimmed, runs of blanks are folded, and repeated fields are joined by commas in order. */
  readonly values: ReadonlyMap<string, string>
  /** Names that are present more than once. */
  readonly repeated: ReadonlySet<string>
}

/** A query parameter, decoded to bytes. */
export interface Parameter {
  readonly name: string
  readonly value: string
}

/** The parts of the canonical request. */
export interface CanonicalParts {
  readonly method: string
  /** The canonical path: {@link canonicalPath}, or {@link canonicalPathOfS3}. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly headers: HeaderTable
  /** Lower case, in byte order. Each is present in `headers`. */
  readonly signedHeaders: readonly string[]
  /** SHA-256 of the body, lower-case hex. */
  readonly payloadHash: string
}

const unreserved = /[A-Za-z0-9._~-]/

/** Each byte in URI encoding. */
const encodedBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte)
  return unreserved.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

const none: ReadonlySet<string> = new Set()

/**
 * Reads the raw header list, with names and values alternating.
 * @throws {KmsError} `IncompleteSignatureException` when there are too many headers, or one is too long
 *   or holds a forbidden character
 */
export function readHeaders(rawHeaders: readonly string[]): HeaderTable {
  if (rawHeaders.length > limits.headers * 2) {
    throw incomplete(`the request has more than ${limits.headers} headers`)
  }
  const values = new Map<string, string>()
  let repeated: Set<string> | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const raw = rawHeaders[index + 1] ?? ''
    if (name.length + raw.length > limits.headerChars) {
      throw incomplete(`a header has more than ${limits.headerChars} characters`)
    }
    const value = foldBlanks(raw)
    const earlier = values.get(name)
    if (earlier === undefined) {
      values.set(name, value)
    } else {
      repeated ??= new Set()
      repeated.add(name)
      values.set(name, `${earlier},${value}`)
    }
  }
  return { values, repeated: repeated ?? none }
}

/** @throws {KmsError} `IncompleteSignatureException` for a forbidden character */
function foldBlanks(value: string): string {
  // Most values need no change, and one look shows it.
  if (/^[\x21-\x7e\x80-\xff]+(?: [\x21-\x7e\x80-\xff]+)*$/.test(value)) return value
  // A parser rejects all of these. A line break here would be a line break in the signed text.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw incomplete('a header has a forbidden character')
  // Only the blanks of HTTP count: U+00A0 is a byte of other text.
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}

/**
 * Splits and decodes a query string (without its `?`) once, for all readers, so that the signed bytes
 * and the interpreted bytes are the same. `+` is a blank, as in forms.
 * @throws {KmsError} `IncompleteSignatureException` when it is too large or holds a malformed escape
 */
export function readQuery(query: string): readonly Parameter[] {
  if (query === '') return []
  if (query.length > limits.queryChars) {
    throw incomplete(`the query string has more than ${limits.queryChars} characters`)
  }
  const pairs = query.split('&').filter((pair) => pair !== '')
  if (pairs.length > limits.parameters) {
    throw incomplete(`the query string has more than ${limits.parameters} parameters`)
  }
  return pairs.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals === -1) return { name: decode(pair), value: '' }
    return { name: decode(pair.slice(0, equals)), value: decode(pair.slice(equals + 1)) }
  })
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw incomplete('the query string has a malformed percent escape')
  }
  return text
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** @throws {KmsError} `IncompleteSignatureException` when a character is not a single byte */
function encode(text: string): string {
  let encoded = ''
  for (let index = 0; index < text.length; index++) {
    const byte = encodedBytes[text.charCodeAt(index)]
    if (byte === undefined) throw incomplete('the request target has characters beyond latin1')
    encoded += byte
  }
  return encoded
}

/**
 * The path with empty and dot segments resolved, each segment encoded once more than it was sent. Only
 * S3 signs paths unchanged.
 */
export function canonicalPath(path: string): string {
  if (path === '/' || path === '') return '/'
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') segments.pop()
    else segments.push(encode(segment))
  }
  if (segments.length === 0) return '/'
  return `/${segments.join('/')}${path.endsWith('/') ? '/' : ''}`
}

/**
 * The path as S3 signs it: each byte encoded once, nothing resolved. Dots and slashes are part of an
 * object's key.
 * @throws {KmsError} `IncompleteSignatureException` when an escape is malformed
 */
export function canonicalPathOfS3(path: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) throw incomplete('the path has a malformed percent escape')
  const bytes = path.replace(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return encode(bytes).replaceAll('%2F', '/')
}

/** The encoded parameters in byte order of names, then of values, without `X-Amz-Signature`. */
export function canonicalQuery(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return ''
  return parameters
    .filter(({ name }) => name !== 'X-Amz-Signature')
    .map(({ name, value }) => ({ name: encode(name), value: encode(value) }))
    .sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')
}

/** Byte order, for ASCII text. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

export function canonicalRequest(parts: CanonicalParts): string {
  const { method, headers, signedHeaders } = parts
  let fields = ''
  for (const name of signedHeaders) fields += `${name}:${headers.values.get(name) ?? ''}\n`
  return (
    `${method}\n${parts.path}\n${canonicalQuery(parts.parameters)}\n` +
    `${fields}\n${signedHeaders.join(';')}\n${parts.payloadHash}`
  )
}

/**
 * @param timestamp `YYYYMMDDTHHMMSSZ`
 * @param scope `YYYYMMDD/region/service/aws4_request`
 */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  const digest = hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${digest}`
}

/** The error for a request that cannot be checked. It is thrown before any lookup. */
export function incomplete(message: string): KmsError {
  return new KmsError('IncompleteSignatureException', message)
}

/** Quotes the caller's own text, shortened. Only that caller receives it. */
export function quote(text: string): string {
  return text.length <= 128 ? text : `${text.slice(0, 128)}…`
}
