/**
 * Refuses requests before any handler runs, and closes the connection so that the client can read the
 * refusal. Closing a socket with unread bytes resets the connection, and the reset can overtake the
 * answer. So the whole answer is written first, the rest of the request is read and discarded for a
 * bounded time, and only then does the connection end.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { KmsError, type ErrorCode } from '../errors.ts'
import type { ReceivedRequest } from './body.ts'
import type { DropReason } from './held.ts'
import type { ListenLimits } from './limits.ts'
import { renderFailure } from './protocol.ts'
import type { RawResponse, RequestLine } from './request.ts'

/** A small JSON answer outside AWS's API. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): RawResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body: JSON.stringify(value),
  }
}

/** A refusal in the request's protocol. */
export function refusal(head: RequestLine, code: ErrorCode, message: string): RawResponse {
  return renderFailure(new KmsError(code, message), randomUUID(), head)
}

/** The body exceeds its limit. */
export function tooLarge(head: RequestLine): RawResponse {
  const message = 'the request body is larger than this server takes'
  return refusal(head, 'RequestEntityTooLargeException', message)
}

/** The answer for a body that was dropped. */
export function dropped(head: RequestLine, why: DropReason): RawResponse {
  if (why !== 'too slow') return noRoom(head)
  const message = 'the request body comes more slowly than this server waits for'
  return { ...refusal(head, 'ServiceUnavailableException', message), status: 408 }
}

/** This client, or all clients together, are at a limit. */
export function noRoom(head: RequestLine): RawResponse {
  const message = 'too many requests are in flight, try again later'
  return refusal(head, 'ServiceUnavailableException', message)
}

/** The refusal that a request's first line and headers cause, or undefined. */
export function refusalOf(
  { headers, rawHeaders }: ReceivedRequest,
  head: RequestLine,
  limits: ListenLimits,
): RawResponse | undefined {
  // Node has parsed `headers` already, so the presence of these three is known from there.
  if (rawHeaders.length / 2 > limits.headersMax) {
    return unfit(head, 431, 'the request has too many headers')
  }
  const { target } = head
  if (!target.startsWith('/')) {
    const message = 'the request target is not in origin form'
    return refusal(head, 'IncompleteSignatureException', message)
  }
  if (headers.upgrade !== undefined) {
    return unfit(head, 400, 'protocol upgrades are not supported')
  }
  if (headers.expect !== undefined) {
    return unfit(head, 417, 'the Expect header is not supported')
  }
  const declared = headers['content-length']
  return declared !== undefined && Number(declared) > limits.bodyBytesMax
    ? tooLarge(head)
    : undefined
}

/** A request with an HTTP status but no AWS error. */
export function unfit(head: RequestLine, status: number, message: string): RawResponse {
  return { ...refusal(head, 'ValidationException', message), status }
}

/**
 * Answers without calling a handler, and ends the connection once the client had time to read the
 * answer.
 */
export function refuse(
  request: ReceivedRequest,
  response: ServerResponse,
  answer: RawResponse,
  limits: Pick<ListenLimits, 'lingerMs' | 'lingerBytesMax'>,
): void {
  const headers = { ...answer.headers, 'Content-Length': Buffer.byteLength(answer.body) }
  response.writeHead(answer.status, { ...headers, Connection: 'close' })
  response.write(answer.body)
  const close = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(close, limits.lingerMs)
  response.once('close', close)
  if (request.complete) {
    close()
    return
  }
  let discarded = 0
  request.reader = {
    // The client's buffers fill until it reads, or until its time is over.
    take(piece) {
      discarded += piece.length
      return discarded <= limits.lingerBytesMax
    },
    end: close,
  }
}

/** Refuses on a bare socket, when there is no request to answer: no detail, no body. */
export function refuseSocket(socket: Duplex, status: number, lingerMs: number): void {
  const destroy = (): void => {
    clearTimeout(timer)
    socket.destroy()
  }
  const timer = setTimeout(destroy, lingerMs)
  socket.once('error', destroy).once('close', destroy).once('end', destroy)
  const reason = STATUS_CODES[status] ?? ''
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n` +
      `Date: ${new Date().toUTCString()}\r\n\r\n`,
  )
  socket.resume()
}
