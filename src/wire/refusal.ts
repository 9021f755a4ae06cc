/**
 * How the server says no before any handler is asked, and closes the connection so that the client
 * gets to read it. Closing a socket that still has unread bytes resets the connection, and the reset
 * can overtake the answer: so the whole answer is written, the rest of the request is read and thrown
 * away for a bounded while, and only then does the connection end.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { KmsError, type ErrorCode } from '../errors.ts'
import type { NoBody } from './body.ts'
import type { ListenLimits } from './limits.ts'
import { renderFailure } from './protocol.ts'
import type { RawResponse, RequestLine } from './request.ts'

/** A small JSON answer that is not AWS's. */
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

/** A refusal in the protocol that the request speaks. */
export function refusal(head: RequestLine, code: ErrorCode, message: string): RawResponse {
  return renderFailure(new KmsError(code, message), randomUUID(), head)
}

/** The body is over its limit. */
export function tooLarge(head: RequestLine): RawResponse {
  const message = 'the request body is larger than this server takes'
  return refusal(head, 'RequestEntityTooLargeException', message)
}

/** Why the body was not read, as an answer. */
export function withoutBody(head: RequestLine, why: NoBody): RawResponse {
  if (why === 'too large') return tooLarge(head)
  if (why !== 'too slow') return noRoom(head)
  const message = 'the request body comes more slowly than this server waits for'
  return { ...refusal(head, 'ServiceUnavailableException', message), status: 408 }
}

/** This client, or all of them together, hold what the server has to give. */
export function noRoom(head: RequestLine): RawResponse {
  const message = 'too many requests are in flight, try again later'
  return refusal(head, 'ServiceUnavailableException', message)
}

/** What is wrong with a request by its first line and headers, or undefined. */
export function refusalOf(
  { headers, rawHeaders }: IncomingMessage,
  head: RequestLine,
  limits: ListenLimits,
): RawResponse | undefined {
  // Node has read `headers` already, and keeps there whether one of these three was sent.
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

/** A request that HTTP has a status for, and AWS no error. */
export function unfit(head: RequestLine, status: number, message: string): RawResponse {
  return { ...refusal(head, 'ValidationException', message), status }
}

/** Answers without asking any handler, and ends the connection once the answer can have been read. */
export function refuse(
  request: IncomingMessage,
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
  if (request.readableEnded) {
    close()
    return
  }
  let discarded = 0
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    // The client is left to fill its own buffers until it reads, or until its time is over.
    if (discarded > limits.lingerBytesMax) request.pause()
  })
  request.once('end', close)
  request.resume()
}

/** The same where there is no request to answer, only a socket: no detail, no body. */
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
