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
import { KmsError } from '../errors.ts'
import { renderError } from './aws-json.ts'
import type { ListenLimits } from './limits.ts'
import type { RawResponse } from './request.ts'

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

/** The body is over its limit. */
export function tooLarge(): RawResponse {
  const message = 'the request body is larger than this server takes'
  return renderError(new KmsError('RequestEntityTooLargeException', message), randomUUID())
}

/** This client, or all of them together, hold what the server has to give. */
export function noRoom(): RawResponse {
  const message = 'too many requests are in flight, try again later'
  return renderError(new KmsError('ServiceUnavailableException', message), randomUUID())
}

/** What is wrong with a request by its first line and headers, or undefined. */
export function refusalOf(request: IncomingMessage, limits: ListenLimits): RawResponse | undefined {
  // Node has read `headers` already, and keeps there whether one of these three was sent.
  const { headers, rawHeaders, url = '' } = request
  if (rawHeaders.length / 2 > limits.headersMax) {
    return jsonAnswer(431, { message: 'the request has too many headers' })
  }
  if (!url.startsWith('/')) {
    const message = 'the request target is not in origin form'
    return renderError(new KmsError('IncompleteSignatureException', message), randomUUID())
  }
  if (headers.upgrade !== undefined) {
    return jsonAnswer(400, { message: 'protocol upgrades are not supported' })
  }
  if (headers.expect !== undefined) {
    return jsonAnswer(417, { message: 'the Expect header is not supported' })
  }
  const declared = headers['content-length']
  return declared !== undefined && Number(declared) > limits.bodyBytesMax ? tooLarge() : undefined
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
