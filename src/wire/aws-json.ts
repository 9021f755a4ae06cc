/**
 * The protocol AWS JSON 1.1: what a request calls, its body, and how an answer or an error goes back.
 *
 * The target and the body are read apart, because a caller is authenticated in between: the body is
 * hashed for the signature as bytes, and is parsed only once its sender is known.
 *
 * Where AWS is not known to say more, Trent chooses: a method, path or content type that is not the
 * protocol's, and a target that names no service, are `UnknownOperationException` without a message
 * (as AWS's JSON services answer them); `application/x-amz-json-1.0` is not taken for KMS; an empty
 * body is an empty object, as Smithy has it for operations without input; error types travel in the
 * body alone, without an `x-amzn-ErrorType` header.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 * @module
 */
import { KmsError, statusOf, type ErrorCode } from '../errors.ts'
import { findHeader, mediaType, pathOf } from './headers.ts'
import { MalformedJson, parseJsonObject, type JsonObject } from './json.ts'
import { queryCodeOf } from './query-codes.ts'
import type { RawRequest, RawResponse } from './request.ts'

const contentType = 'application/x-amz-json-1.1'
/** Of a service that spoke AWS Query first: clients that know its errors by those names are told them too. */
const queryCompatible: ReadonlyMap<string, string> = new Map([
  ['monitoring', 'application/x-amz-json-1.0'],
])

/** Services by the prefix of their targets. Maps, because the prefix is the caller's. */
const servicesOf: Readonly<Record<RawRequest['listener'], ReadonlyMap<string, string>>> = {
  public: new Map([
    ['TrentService', 'kms'],
    ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', 'cloudtrail'],
    // What some clients make of the same, which AWS takes as well.
    ['CloudTrail_20131101', 'cloudtrail'],
    ['GraniteServiceVersion20100801', 'monitoring'],
  ]),
  operator: new Map([['TrentOperator', 'trent']]),
}

/** Which operation of which service. */
export interface Target {
  /** The signing name of the service that was called: `kms`; `trent` on the operator socket. */
  readonly service: string
  readonly operation: string
}

/** A name, bounded; whether an operation has it is the registry's to say. */
const operationName = /^\w{1,64}$/

/**
 * Which operation of which service is called; nothing else is read.
 * @throws {KmsError} `UnknownOperationException`; `IncompleteSignatureException` when Content-Type or
 * X-Amz-Target is there twice, so that no two readers can take different ones
 */
export function readTarget(
  request: Pick<RawRequest, 'listener' | 'method' | 'target' | 'rawHeaders'>,
): Target {
  const type = onlyHeader(request.rawHeaders, 'content-type')
  const target = onlyHeader(request.rawHeaders, 'x-amz-target')
  if (request.method !== 'POST' || pathOf(request.target) !== '/') throw unknownOperation()
  if (type === undefined || target === undefined) throw unknownOperation()
  const end = target.lastIndexOf('.')
  const service = servicesOf[request.listener].get(target.slice(0, Math.max(end, 0)))
  const operation = target.slice(end + 1)
  if (service === undefined || !operationName.test(operation)) throw unknownOperation()
  if (mediaType(type) !== contentTypeOf(service)) throw unknownOperation()
  return { service, operation }
}

/** The input as it was sent. @throws {KmsError} `SerializationException` */
export function readBody(request: Pick<RawRequest, 'body'>): JsonObject {
  if (request.body.length === 0) return Object.create(null) as JsonObject // null by its type only
  try {
    return parseJsonObject(request.body)
  } catch (cause) {
    if (!(cause instanceof MalformedJson)) throw cause
    throw new KmsError('SerializationException', '', { cause })
  }
}

/** A success. Where `output` is undefined the body is empty. */
export function renderAnswer(output: unknown, requestId: string, target?: Target): RawResponse {
  const headers = headersWith(requestId, contentTypeOf(target?.service))
  return { status: 200, headers, body: wireText(output) ?? '' }
}

/**
 * Any failure. A `KmsError` says its code and its message; everything else is a fault of Trent's own,
 * of which the caller learns nothing.
 */
export function renderError(error: unknown, requestId: string, target?: Target): RawResponse {
  const { code, message } =
    error instanceof KmsError ? error : { code: 'KMSInternalException' as const, message: '' }
  const status = statusOf(code)
  const headers = headersWith(requestId, contentTypeOf(target?.service))
  if (!queryCompatible.has(target?.service ?? ''))
    return { status, headers, body: errorText(code, message) }
  const name = code === 'KMSInternalException' ? 'InternalServiceError' : queryCodeOf(code).name
  const type = code === 'KMSInternalException' ? 'InternalServiceFault' : code
  return {
    status,
    headers: {
      ...headers,
      'x-amzn-query-error': `${name};${status >= 500 ? 'Receiver' : 'Sender'}`,
    },
    body: errorText(type, message),
  }
}

function contentTypeOf(service = ''): string {
  return queryCompatible.get(service) ?? contentType
}

/** AWS leaves the member out where there is no message, and writes one exception's with a capital. */
function errorText(code: ErrorCode | 'InternalServiceFault', message: string): string {
  if (message === '') return JSON.stringify({ __type: code })
  return JSON.stringify(
    code === 'AccessDeniedException'
      ? { __type: code, Message: message }
      : { __type: code, message },
  )
}

function headersWith(requestId: string, type: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': type,
    'x-amzn-RequestId': requestId,
    'Cache-Control': 'no-cache, no-store, must-revalidate, private',
    Expires: '0',
    Pragma: 'no-cache',
  }
}

function unknownOperation(): KmsError {
  return new KmsError('UnknownOperationException')
}

function onlyHeader(rawHeaders: readonly string[], name: string): string | undefined {
  const at = findHeader(rawHeaders, name, 0)
  if (at === -1) return undefined
  if (findHeader(rawHeaders, name, at + 2) !== -1) {
    throw new KmsError('IncompleteSignatureException', `the header \`${name}\` is there twice`)
  }
  return rawHeaders[at + 1]
}

/** JSON of an output: bytes as base64, dates as seconds; undefined for what JSON has no form of. */
function wireText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = value
    return `"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`
  }
  if (value instanceof Date) return secondsText(value)
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => wireText(item) ?? 'null').join(',')}]`
  }
  let members = ''
  for (const [name, member] of Object.entries(value)) {
    const text = wireText(member)
    if (text === undefined) continue
    members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${text}`
  }
  return `{${members}}`
}

/** Seconds since the epoch; milliseconds are the fraction. */
function secondsText(date: Date): string {
  const milliseconds = date.getTime()
  if (Number.isNaN(milliseconds)) throw new TypeError('an output holds an invalid date')
  return String(milliseconds / 1000)
}
