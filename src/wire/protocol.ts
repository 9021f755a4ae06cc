/** Chooses the protocol of a request: AWS JSON, AWS Query or the XKS proxy API. @module */
import type { Members } from '../model/shape.ts'
import { readBody, readTarget, renderAnswer, renderError, type Target } from './aws-json.ts'
import {
  isQuery,
  readQueryInput,
  readQueryTarget,
  renderQueryAnswer,
  renderQueryError,
} from './aws-query.ts'
import { withForeign } from './foreign-service.ts'
import type { RawRequest, RawResponse, RequestLine } from './request.ts'
import { readXksInput, readXksTarget, renderXksAnswer, renderXksError } from './xks-proxy.ts'

export interface Protocol {
  /** @throws {KmsError} `UnknownOperationException`, `IncompleteSignatureException` */
  readonly readTarget: (request: RequestLine & Pick<RawRequest, 'body'>) => Target
  /** The input in JSON's form, unchecked. @throws {KmsError} `SerializationException` */
  readonly readInput: (request: RawRequest, members: Members) => unknown
  readonly renderAnswer: (output: unknown, requestId: string, target: Target) => RawResponse
  /** `target` is undefined when it is not known. */
  readonly renderError: (
    error: unknown,
    requestId: string,
    target: Target | undefined,
  ) => RawResponse
}

const json: Protocol = {
  readTarget: withForeign(readTarget),
  readInput: readBody,
  renderAnswer,
  renderError,
}

const query: Protocol = {
  readTarget: withForeign(readQueryTarget),
  readInput: readQueryInput,
  renderAnswer: renderQueryAnswer,
  renderError: renderQueryError,
}

const xksProxy: Protocol = {
  readTarget: readXksTarget,
  readInput: readXksInput,
  renderAnswer: renderXksAnswer,
  renderError: renderXksError,
}

export function protocolOf(request: Parameters<typeof isQuery>[0]): Protocol {
  if (request.listener === 'xks-proxy') return xksProxy
  return isQuery(request) ? query : json
}

const noBody = Buffer.alloc(0)

/**
 * Renders a failure outside the pipeline, in the request's protocol and for its service, as far as the
 * request names them.
 */
export function renderFailure(
  error: unknown,
  requestId: string,
  request: RequestLine & Partial<Pick<RawRequest, 'body'>>,
): RawResponse {
  const protocol = protocolOf(request)
  let target: Target | undefined
  try {
    target = protocol.readTarget({ body: noBody, ...request })
  } catch {
    // The target is not known. The error is rendered without it.
  }
  return protocol.renderError(error, requestId, target)
}
