/**
 * The AWS Query protocol, in which IAM and STS are spoken: a form goes in, XML comes out. Which service
 * is called is said by `Version`, as each has one.
 *
 * Codes are AWS's for these services: without the suffix `Exception`, and with HTTP statuses of their
 * own. A presigned URL is a GET whose query is the form: nothing else is taken from a target.
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

/** Signing names of the services that are spoken to in this protocol. */
export const queryServices: readonly string[] = [...versions.values()]

const namespaces: ReadonlyMap<string, string> = new Map(
  [...versions].map(([version, service]) => [
    service,
    `https://${service}.amazonaws.com/doc/${version}/`,
  ]),
)

const actionName = /^\w{1,64}$/

/** Whether a request speaks this protocol: public, and with the content type of a form, or presigned. */
export function isQuery(request: RequestLine): boolean {
  const { listener, rawHeaders } = request
  if (listener !== 'public') return false
  if (isPresigned(request)) return true
  // The first decides; either protocol refuses a second one.
  const at = findHeader(rawHeaders, 'content-type', 0)
  return at !== -1 && mediaType(rawHeaders[at + 1] ?? '') === 'application/x-www-form-urlencoded'
}

/** Whether a request is a presigned URL, opened. */
export function isPresigned({ method, target }: Pick<RawRequest, 'method' | 'target'>): boolean {
  return method === 'GET' && target.startsWith('/?') && /[?&]X-Amz-Signature=/.test(target)
}

/**
 * Which operation of which service is called.
 * @throws {KmsError} `UnknownOperationException`, `SerializationException`;
 * `IncompleteSignatureException` when Content-Type is there twice
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

/** The input as JSON would have it, by the shapes of its members. @throws {KmsError} */
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

/** What is signed beside it is no member, and passed over as any name is that an operation does not have. */
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

/** A success. An operation without output has no result element. */
export function renderQueryAnswer(output: unknown, requestId: string, target: Target): RawResponse {
  const { service, operation } = target
  const result = output === undefined ? '' : element(`${operation}Result`, output)
  const metadata = element('ResponseMetadata', { RequestId: requestId })
  const opening = `<${operation}Response xmlns="${namespaces.get(service) ?? ''}">`
  return respond(200, requestId, `${opening}${result}${metadata}</${operation}Response>`)
}

/** Any failure; of a fault of Trent's own the caller learns nothing. */
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

/** AWS's Query services always say something. */
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
