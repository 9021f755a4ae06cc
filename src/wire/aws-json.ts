/**
 * The AWS JSON 1.1 protocol: reads a request's target and body, and renders answers and errors.
 *
 * The target and the body are read in separate steps, because authentication happens in between. The
 * signature covers the raw bytes of the body, and they are parsed only once the sender is known.
 *
 * Trent's own choices, where AWS's behaviour is not known:
 * - Another method, path or content type, and a target of an unknown service, are an
 *   `UnknownOperationException` without a message, as in AWS's JSON services.
 * - KMS does not accept `application/x-amz-json-1.0`.
 * - An empty body is an empty object, as Smithy specifies for operations without input.
 * - The error type is in the body alone; there is no `x-amzn-ErrorType` header.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 * @module
 */
import { KmsError, statusOf, type ErrorCode } from '../errors.ts'
import { type JsonLimits, type JsonObject, MalformedJson, parseJsonObject } from '../model/json.ts'
import { findHeader, mediaType, pathOf } from './headers.ts'
import { queryCodeOf } from './query-codes.ts'
import type { RawRequest, RawResponse } from './request.ts'

const contentType = 'application/x-amz-json-1.1'

const bodyLimits: JsonLimits = { depthMax: 32, containersMax: 16_384, valuesMax: 32_768 }

/**
 * Services that once spoke AWS Query. Their clients know errors by the Query names, so a header adds
 * those.
 */
const queryCompatible: ReadonlyMap<string, string> = new Map([
  ['monitoring', 'application/x-amz-json-1.0'],
])

/** Services by target prefix. These are Maps because the prefix is caller-controlled. */
const servicesOf: Readonly<Record<RawRequest['listener'], ReadonlyMap<string, string>>> = {
  public: new Map([
    ['TrentService', 'kms'],
    ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', 'cloudtrail'],
    // Some clients shorten the prefix to this form, and AWS accepts it.
    ['CloudTrail_20131101', 'cloudtrail'],
    ['GraniteServiceVersion20100801', 'monitoring'],
    ['ResourceGroupsTaggingAPI_20170126', 'tagging'],
  ]),
  // Its targets are paths: `xks-proxy.ts`.
  'xks-proxy': new Map(),
  operator: new Map([['TrentOperator', 'trent']]),
  unseal: new Map([['TrentOperator', 'trent']]),
}

/** Signing names of the services that speak this protocol. */
export const jsonServices: readonly string[] = [...new Set(servicesOf.public.values())]

/** The called service and operation. */
export interface Target {
  /** The signing name of the called service: `kms`; `trent` on the operator socket. */
  readonly service: string
  readonly operation: string
}

/** The form of an operation's name. The registry decides whether the operation exists. */
const operationName = /^\w{1,64}$/

/**
 * Reads which operation of which service is called, and nothing else.
 * @throws {KmsError} `UnknownOperationException`; `IncompleteSignatureException` when Content-Type or
 *   X-Amz-Target is present twice, so that no two readers can pick different ones
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

/** Parses the input without checking its shape. @throws {KmsError} `SerializationException` */
export function readBody(request: Pick<RawRequest, 'body'>): JsonObject {
  if (request.body.length === 0) return Object.create(null) as JsonObject // typed as `any`
  try {
    return parseJsonObject(request.body, bodyLimits)
  } catch (cause) {
    if (!(cause instanceof MalformedJson)) throw cause
    throw new KmsError('SerializationException', '', { cause })
  }
}

/** Renders a success. The body is empty when `output` is undefined. */
export function renderAnswer(output: unknown, requestId: string, target?: Target): RawResponse {
  const headers = headersWith(requestId, contentTypeOf(target?.service))
  return { status: 200, headers, body: wireText(output) ?? '' }
}

/**
 * Renders a failure. A `KmsError` has its code and message. Any other error is internal, and the caller
 * learns nothing about it.
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

/** AWS omits the member when there is no message, and spells it `Message` for one exception. */
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

/**
 * JSON of an output: bytes as base64, dates as seconds. Undefined for values that JSON cannot express.
 */
export function wireText(value: unknown): string | undefined {
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

/** Seconds since the epoch, with milliseconds as the fraction. */
function secondsText(date: Date): string {
  const milliseconds = date.getTime()
  if (Number.isNaN(milliseconds)) throw new TypeError('an output holds an invalid date')
  return String(milliseconds / 1000)
}
