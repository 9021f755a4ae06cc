/**
 * One request's way through the server: refused, or read, handled within a bound and answered.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Admission, ConnectionPlace } from './admission.ts'
import { readBody, type Reading } from './body.ts'
import type { ListenLimits } from './limits.ts'
import { renderFailure } from './protocol.ts'
import { originOf, type IsTrusted, type Origin } from './proxies.ts'
import { noRoom, refusal, refusalOf, refuse, withoutBody } from './refusal.ts'
import type { RawRequest, RawResponse, RequestHead } from './request.ts'

export type Handler = (request: RawRequest) => Promise<RawResponse>

/** What the head of a request says of it while its body is still on the way. */
export interface Screened {
  /** It is refused, whatever its body is. */
  readonly refusal?: RawResponse
  /** No body that is taken is longer. */
  readonly bodyBytesMax?: number
}

/**
 * Asked about a request whose body did not come with its head. What it lets through, the handler decides
 * anew. It never rejects.
 */
export type Screen = (head: RequestHead) => Promise<Screened>

/** A client's connection, as the server keeps it. */
export interface Connection {
  readonly socket: Socket
  readonly place: ConnectionPlace
  /** Its own, or that of the client for which a trusted proxy has opened it. */
  origin: Origin & { readonly encrypted: boolean }
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
  readonly isTrusted: IsTrusted
  readonly handler: Handler
  readonly screen: Screen | undefined
  /** True once the server is on its way down: connections end with their answer. */
  readonly stopping: () => boolean
  /** Told of what a handler threw: the client learns nothing of it but the request id. */
  readonly onFailure: (error: unknown, requestId: string) => void
}

/** The handler did not answer within its bound. */
export class RequestOverdue extends Error {}

const seenByClose = (): void => {}

/** Leaves the response ended or its connection closed. Rejects only by a fault of Trent's own. */
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
    if (connection.pending === 1) connection.place.refused()
    refuse(request, response, answer, limits)
  }
  const controller = new AbortController()
  const origin = originOf(connection.origin, request.rawHeaders, ports.isTrusted)
  const head = headOf(request, connection, origin ?? connection.origin, controller.signal, ports)
  const refused = refusalOf(request, head, limits)
  if (refused !== undefined) return deny(refused)
  if (origin === undefined) {
    const message = 'a proxy names a source that is not an address'
    return deny(refusal(head, 'IncompleteSignatureException', message))
  }
  let reading: Reading | undefined
  const place = admission.begin(origin.source, {
    connection: connection.place,
    isWhole: () => request.complete,
    drop: (why) => reading?.stop(why),
  })
  if (place === undefined) return deny(noRoom(head))
  response.on('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  reading = readBody(request, limits.bodyBytesMax, place)
  const screened = await screenedWhile(reading, head, ports.screen)
  if (screened.bodyBytesMax !== undefined) reading.limit(screened.bodyBytesMax)
  if (screened.refusal !== undefined) reading.stop('refused')
  const body = await reading.outcome
  if (typeof body === 'string' || connection.socket.destroyed) {
    place.leave()
    if (body === 'refused' && screened.refusal !== undefined) return deny(screened.refusal)
    if (typeof body === 'string' && body !== 'gone') deny(withoutBody(head, body))
    return
  }
  const whole = { ...head, body }
  const work = handle(whole, ports)
  // The place is held for as long as the handler works, even when its client has been answered.
  void work.then(place.leave, place.leave)
  send(response, await answerOf(work, whole, controller, ports), ports.stopping())
}

function headOf(
  request: IncomingMessage,
  { socket }: Connection,
  { address, secure }: Origin,
  signal: AbortSignal,
  { listener }: ExchangePorts,
): RequestHead {
  return {
    listener,
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    remoteAddress: address,
    secure,
    ...tlsOf(socket),
    signal,
  }
}

const unscreened: Screened = {}

/** Asks about the head only where the body takes longer: most come with it. */
async function screenedWhile(
  reading: Reading,
  head: RequestHead,
  screen: Screen | undefined,
): Promise<Screened> {
  // What came in one piece with the head has been parsed after this.
  await Promise.resolve()
  if (screen === undefined || reading.isOver()) return unscreened
  return Promise.race([screen(head), reading.outcome.then(() => unscreened)])
}

async function handle(request: RawRequest, { handler }: ExchangePorts): Promise<RawResponse> {
  return handler(request)
}

function tlsOf(socket: Socket): Pick<RawRequest, 'tls'> {
  if (!(socket instanceof TLSSocket)) return {}
  return {
    tls: { version: socket.getProtocol() ?? '', cipherSuite: socket.getCipher().standardName },
  }
}

async function answerOf(
  work: Promise<RawResponse>,
  request: RawRequest,
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
    return renderFailure(undefined, requestId, request)
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
