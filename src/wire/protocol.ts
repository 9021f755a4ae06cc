/** Which of the two protocols a request speaks: AWS JSON, or AWS Query. @module */
import type { Members } from '../model/shape.ts'
import { readBody, readTarget, renderAnswer, renderError, type Target } from './aws-json.ts'
import {
  isQuery,
  readQueryInput,
  readQueryTarget,
  renderQueryAnswer,
  renderQueryError,
} from './aws-query.ts'
import type { RawRequest, RawResponse, RequestLine } from './request.ts'

export interface Protocol {
  /** @throws {KmsError} `UnknownOperationException`, `IncompleteSignatureException` */
  readonly readTarget: (request: RequestLine & Pick<RawRequest, 'body'>) => Target
  /** The input as JSON has it, nothing checked yet. @throws {KmsError} `SerializationException` */
  readonly readInput: (request: RawRequest, members: Members) => unknown
  readonly renderAnswer: (output: unknown, requestId: string, target: Target) => RawResponse
  /** `target` is undefined while it is not known. */
  readonly renderError: (
    error: unknown,
    requestId: string,
    target: Target | undefined,
  ) => RawResponse
}

const json: Protocol = { readTarget, readInput: readBody, renderAnswer, renderError }

const query: Protocol = {
  readTarget: readQueryTarget,
  readInput: readQueryInput,
  renderAnswer: renderQueryAnswer,
  renderError: renderQueryError,
}

export function protocolOf(request: Parameters<typeof isQuery>[0]): Protocol {
  return isQuery(request) ? query : json
}

const noBody = Buffer.alloc(0)

/**
 * A failure of a request that no pipeline renders, in the words of the protocol and the service that it
 * speaks, as far as it says so.
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
    // What it calls is not known, and the error goes back without it.
  }
  return protocol.renderError(error, requestId, target)
}
