/**
 * The XKS proxy API, version 1, as Trent serves it: the path names the proxy, the key and the operation, and
 * bodies are JSON. Errors are `errorName` and `errorMessage`.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { KmsError, type ErrorCode } from '../errors.ts'
import { MalformedJson, parseJsonObject, type JsonLimits } from '../model/json.ts'
import { proxyIdPattern } from '../model/served-proxy.ts'
import { wireText, type Target } from './aws-json.ts'
import { headerValues, mediaType } from './headers.ts'
import type { RawRequest, RawResponse, RequestLine } from './request.ts'

/** The base64 of the largest plaintext and additional data, and request metadata of some ARNs. */
export const xksBodyBytesMax = 48 * 1024

const service = 'kms-xks-proxy'
const bodyLimits: JsonLimits = { depthMax: 4, containersMax: 16, valuesMax: 64 }

/** The last part of a path, and the operation that it names. */
const operations: ReadonlyMap<string, string> = new Map([
  ['metadata', 'GetKeyMetadata'],
  ['encrypt', 'Encrypt'],
  ['decrypt', 'Decrypt'],
])

const pathForm = new RegExp(
  `^/(${proxyIdPattern})/kms/xks/v1/(?:health|keys/([a-zA-Z0-9_.-]{1,128})/([a-z]+))$`,
)

/** The names in a path. */
export interface XksPath {
  readonly proxyId: string
  readonly operation: string
  /** Absent for the health of the proxy. */
  readonly externalKeyId?: string
}

/** @throws {KmsError} `UnknownOperationException` for any other path, or with a query */
export function readXksPath({ target }: Pick<RequestLine, 'target'>): XksPath {
  const [, proxyId, externalKeyId, last = ''] = pathForm.exec(target) ?? []
  const operation = externalKeyId === undefined ? 'GetHealthStatus' : operations.get(last)
  if (proxyId === undefined || operation === undefined) throw noSuchPath()
  return { proxyId, operation, ...(externalKeyId !== undefined && { externalKeyId }) }
}

/** No proxy has this path. */
export function noSuchPath(): KmsError {
  return new KmsError('UnknownOperationException', 'no external key store has this path')
}

export function readXksTarget(request: RequestLine): Target {
  return { service, operation: readXksPath(request).operation }
}

/** The members of the body, and the key of the path. @throws {KmsError} `SerializationException` */
export function readXksInput(request: RawRequest): unknown {
  const { externalKeyId } = readXksPath(request)
  const types = headerValues(request.rawHeaders, 'content-type')
  if (types.length !== 1 || mediaType(types[0] ?? '') !== 'application/json') {
    throw new KmsError('ValidationException', 'the content type must be application/json')
  }
  try {
    // The path names the key: a member of that name in the body is unknown, and ignored.
    return { ...parseJsonObject(request.body, bodyLimits), externalKeyId }
  } catch (cause) {
    if (!(cause instanceof MalformedJson)) throw cause
    throw new KmsError('SerializationException', 'the body is not a JSON object', { cause })
  }
}

export function renderXksAnswer(output: unknown, requestId: string): RawResponse {
  return answerOf(200, wireText(output) ?? '{}', requestId)
}

/** Trent's errors in the words of the proxy API. Those that are absent here are internal. */
const errors: Readonly<Partial<Record<ErrorCode, readonly [status: number, name: string]>>> = {
  AccessDeniedException: [403, 'AccessDeniedException'],
  DisabledException: [400, 'InvalidStateException'],
  IncompleteSignatureException: [401, 'AuthenticationFailedException'],
  InvalidCiphertextException: [400, 'InvalidCiphertextException'],
  InvalidKeyUsageException: [400, 'InvalidKeyUsageException'],
  InvalidSignatureException: [401, 'AuthenticationFailedException'],
  KMSInvalidStateException: [400, 'InvalidStateException'],
  MissingAuthenticationTokenException: [401, 'AuthenticationFailedException'],
  NotFoundException: [404, 'KeyNotFoundException'],
  RequestEntityTooLargeException: [501, 'UnsupportedOperationException'],
  SerializationException: [400, 'ValidationException'],
  ServiceUnavailableException: [503, 'DependencyTimeoutException'],
  ThrottlingException: [429, 'ThrottlingException'],
  UnknownOperationException: [404, 'InvalidUriPathException'],
  UnrecognizedClientException: [401, 'AuthenticationFailedException'],
  UnsupportedOperationException: [501, 'UnsupportedOperationException'],
  ValidationException: [400, 'ValidationException'],
}

/** Also for a key that the proxy does not export: clients may not know whether it exists. */
const noSuchKey = 'this external key store has no such key'

const messageCharactersMax = 511

export function renderXksError(error: unknown, requestId: string): RawResponse {
  const { code, message } = error instanceof KmsError ? error : { code: undefined, message: '' }
  const [status, errorName] = (code && errors[code]) ?? [500, 'InternalException']
  const said = code === 'NotFoundException' ? noSuchKey : message
  // The specification allows printable ASCII.
  const errorMessage = said.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, messageCharactersMax)
  const body = JSON.stringify({ errorName, ...(errorMessage !== '' && { errorMessage }) })
  return answerOf(status, body, requestId)
}

/** The path has no such method. */
export function methodNotAllowed(requestId: string): RawResponse {
  const body = JSON.stringify({ errorName: 'ValidationException', errorMessage: 'only POST' })
  const { headers, ...answer } = answerOf(405, body, requestId)
  return { ...answer, headers: { ...headers, Allow: 'POST' } }
}

function answerOf(status: number, body: string, requestId: string): RawResponse {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'x-amzn-RequestId': requestId,
    },
    body,
  }
}
