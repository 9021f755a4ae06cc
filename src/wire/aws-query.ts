/**
 * The AWS Query protocol, which IAM and STS speak: reads form-encoded requests and renders XML.
 * `Version` names the service, because each service has its own.
 *
 * Error codes lack the suffix `Exception` and have other HTTP statuses than in KMS. A presigned URL is
 * a GET with the form in its query. No other request target is read.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * @module
 */
import { KmsError, type ErrorCode } from '../errors.ts'
import type { Members } from '../model/shape.ts'
import type { Target } from './aws-json.ts'
import { formMembers, MalformedForm, parseForm, type FormNode } from './form.ts'
import { findHeader, headerValues, mediaType, pathOf } from './headers.ts'
import { queryCodeOf } from './query-codes.ts'
import type { RawRequest, RawResponse, RequestLine } from './request.ts'
import { element, escaped } from './xml.ts'

const versions: ReadonlyMap<string, string> = new Map([
  ['2010-05-08', 'iam'],
  ['2011-06-15', 'sts'],
])

/** Signing names of the services that speak this protocol. */
export const queryServices: readonly string[] = [...versions.values()]

const namespaces: ReadonlyMap<string, string> = new Map(
  [...versions].map(([version, service]) => [
    service,
    `https://${service}.amazonaws.com/doc/${version}/`,
  ]),
)

const actionName = /^\w{1,64}$/

/** Whether a request speaks this protocol: it is public and form-encoded, or a presigned URL. */
export function isQuery(request: RequestLine): boolean {
  const { listener, rawHeaders } = request
  if (listener !== 'public') return false
  if (isPresigned(request)) return true
  // The first header decides. Both protocols refuse a second one.
  const at = findHeader(rawHeaders, 'content-type', 0)
  return at !== -1 && mediaType(rawHeaders[at + 1] ?? '') === 'application/x-www-form-urlencoded'
}

/** Whether a request opens a presigned URL. */
export function isPresigned({ method, target }: Pick<RawRequest, 'method' | 'target'>): boolean {
  return method === 'GET' && target.startsWith('/?') && /[?&]X-Amz-Signature=/.test(target)
}

/**
 * Reads which operation of which service is called.
 * @throws {KmsError} `UnknownOperationException`, `SerializationException`;
 *   `IncompleteSignatureException` when Content-Type is present twice
 */
export function readQueryTarget(request: RequestLine & Pick<RawRequest, 'body'>): Target {
  if (headerValues(request.rawHeaders, 'content-type').length > 1) {
    throw new KmsError('IncompleteSignatureException', 'the header `content-type` is there twice')
  }
  const called = request.method === 'POST' || isPresigned(request)
  if (!called || pathOf(request.target) !== '/') {
    throw new KmsError('UnknownOperationException')
  }
  const { below } = formOf(request)
  const service = versions.get(below.get('Version')?.value ?? '')
  const operation = below.get('Action')?.value ?? ''
  if (service === undefined || !actionName.test(operation)) {
    throw new KmsError('UnknownOperationException')
  }
  return { service, operation }
}

/** The input in the form that JSON would have, by the shapes of the members. @throws {KmsError} */
export function readQueryInput(
  request: Pick<RawRequest, 'body' | 'method' | 'target'>,
  members: Members,
): Readonly<Record<string, unknown>> {
  try {
    return formMembers(members, parseForm(formText(request)))
  } catch (cause) {
    throw malformed(cause)
  }
}

/** The form's bytes. Signing parameters of a presigned URL are ignored, like unknown members. */
function formText({ body, ...line }: Pick<RawRequest, 'body' | 'method' | 'target'>): Buffer {
  if (!isPresigned(line)) return body
  if (body.length > 0) throw new MalformedForm('a presigned request with a body')
  return Buffer.from(line.target.slice('/?'.length), 'latin1')
}

function formOf(request: Pick<RawRequest, 'body' | 'method' | 'target'>): FormNode {
  try {
    return parseForm(formText(request))
  } catch (cause) {
    throw malformed(cause)
  }
}

function malformed(cause: unknown): unknown {
  if (!(cause instanceof MalformedForm)) return cause
  return new KmsError('SerializationException', 'the form cannot be read', { cause })
}

/** Renders a success. Operations without output have no result element. */
export function renderQueryAnswer(output: unknown, requestId: string, target: Target): RawResponse {
  const { service, operation } = target
  const result = output === undefined ? '' : element(`${operation}Result`, output)
  const metadata = element('ResponseMetadata', { RequestId: requestId })
  const opening = `<${operation}Response xmlns="${namespaces.get(service) ?? ''}">`
  return respond(200, requestId, `${opening}${result}${metadata}</${operation}Response>`)
}

/** Renders a failure. The caller learns nothing about internal errors. */
export function renderQueryError(
  error: unknown,
  requestId: string,
  target: Target | undefined,
): RawResponse {
  const { code, message } =
    error instanceof KmsError ? error : { code: 'KMSInternalException' as const, message: '' }
  const { name, status } = queryCodeOf(code)
  const namespace = target === undefined ? undefined : namespaces.get(target.service)
  const opening =
    namespace === undefined ? '<ErrorResponse>' : `<ErrorResponse xmlns="${namespace}">`
  const body = element('Error', {
    Type: status >= 500 ? 'Receiver' : 'Sender',
    Code: name,
    Message: message === '' ? (saidForNothing(code, target) ?? '') : message,
  })
  return respond(
    status,
    requestId,
    `${opening}${body}${element('RequestId', requestId)}</ErrorResponse>`,
  )
}

/** The message for errors without one, because AWS's Query services always send one. */
function saidForNothing(code: ErrorCode, target: Target | undefined): string | undefined {
  if (code === 'InvalidMarkerException') return 'Invalid Marker.'
  if (code !== 'UnknownOperationException' || target === undefined) return undefined
  const version = [...versions].find(([, service]) => service === target.service)?.[0] ?? ''
  return `Could not find operation ${target.operation} for version ${version}`
}

function respond(status: number, requestId: string, body: string): RawResponse {
  return {
    status,
    headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': escaped(requestId) },
    body: `${body}\n`,
  }
}
