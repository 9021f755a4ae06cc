/**
 * One request's way through the server: refused, or read, handled within a bound and answered.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Admission } from './admission.ts'
import { renderError } from './aws-json.ts'
import { readBytes } from './body.ts'
import type { ListenLimits } from './limits.ts'
import { noRoom, refusalOf, refuse, tooLarge } from './refusal.ts'
import type { RawRequest, RawResponse } from './request.ts'

export type Handler = (request: RawRequest) => Promise<RawResponse>

/** A client's connection, as the server keeps it. */
export interface Connection {
  readonly socket: Socket
  readonly address: string
  readonly source: string
  /** Requests whose answer is not out yet. */
  pending: number
  /** A refusal ends this connection: what comes behind it is not looked at. */
  refused: boolean
  /** Something has come behind it: nothing more is even parsed. */
  over: boolean
}

export interface ExchangePorts {
  readonly listener: RawRequest['listener']
  readonly limits: ListenLimits
  readonly admission: Admission
  readonly handler: Handler
  /** True once the server is on its way down: connections end with their answer. */
  readonly stopping: () => boolean
  /** Told of what a handler threw: the client learns nothing of it but the request id. */
  readonly onFailure: (error: unknown, requestId: string) => void
}

/** The handler did not answer within its bound. */
export class RequestOverdue extends Error {}

const seenByClose = (): void => {}

/** Never rejects, and always leaves the response ended or its connection closed. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
  ports: ExchangePorts,
): Promise<void> {
  const { limits, admission } = ports
  // A connection that breaks is seen by `close`; without a listener it would end the process.
  request.on('error', seenByClose)
  response.on('error', seenByClose)
  const deny = (answer: RawResponse): void => {
    connection.refused = true
    refuse(request, response, answer, limits)
  }
  const refusal = refusalOf(request, limits)
  if (refusal !== undefined) return deny(refusal)
  const place = admission.begin(connection.source)
  if (place === undefined) return deny(noRoom())
  const body = await readBytes(request, limits.bodyBytesMax, place.hold)
  if (typeof body === 'string' || connection.socket.destroyed) {
    place.leave()
    if (body === 'too large') deny(tooLarge())
    if (body === 'no room') deny(noRoom())
    return
  }
  const controller = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  const work = handle(request, body, connection, controller.signal, ports)
  // The place is held for as long as the handler works, even when its client has been answered.
  void work.then(place.leave, place.leave)
  send(response, await answerOf(work, controller, ports), ports.stopping())
}

/** Asynchronous, so that a handler that throws before it returns a promise is one that rejects. */
async function handle(
  request: IncomingMessage,
  body: Buffer,
  connection: Connection,
  signal: AbortSignal,
  { listener, handler }: ExchangePorts,
): Promise<RawResponse> {
  return handler({
    listener,
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    body,
    remoteAddress: connection.address,
    secure: 'encrypted' in connection.socket,
    ...tlsOf(connection.socket),
    signal,
  })
}

function tlsOf(socket: Socket): Pick<RawRequest, 'tls'> {
  if (!(socket instanceof TLSSocket)) return {}
  return {
    tls: { version: socket.getProtocol() ?? '', cipherSuite: socket.getCipher().standardName },
  }
}

async function answerOf(
  work: Promise<RawResponse>,
  controller: AbortController,
  { limits, onFailure }: ExchangePorts,
): Promise<RawResponse> {
  const overdue = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new RequestOverdue(`the handler took longer than ${limits.handlerMs} ms`)
    controller.abort(error)
    overdue.reject(error)
  }, limits.handlerMs)
  // A handler whose client was cut at the stop does not keep the process.
  timer.unref()
  try {
    return await Promise.race([work, overdue.promise])
  } catch (error) {
    const requestId = randomUUID()
    onFailure(error, requestId)
    // Not even a `KmsError` is passed on: what a handler did not render, it did not mean to say.
    return renderError(undefined, requestId)
  } finally {
    clearTimeout(timer)
  }
}

function send(response: ServerResponse, answer: RawResponse, last: boolean): void {
  if (response.destroyed) return
  try {
    // Names and values in one list, as node:http takes them too: no object is copied for two more.
    const bytes = Buffer.byteLength(answer.body)
    const fields = ['Content-Length', String(bytes)]
    for (const name in answer.headers) fields.push(name, answer.headers[name] ?? '')
    if (last) fields.push('Connection', 'close')
    response.writeHead(answer.status, fields)
    // Text of one byte a character goes out as it is.
    response.end(answer.body, bytes === answer.body.length ? 'latin1' : 'utf8')
  } catch {
    // A status or header that HTTP has no form of: nothing was written, and no client is left waiting.
    response.destroy()
  }
}
