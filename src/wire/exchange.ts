/**
 * Handles one HTTP exchange: refuses the request, or reads it, runs the handler within a time limit and
 * answers.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Admission, ConnectionSlot } from './admission.ts'
import { readBody, type Reading } from './body.ts'
import type { ListenLimits } from './limits.ts'
import { renderFailure } from './protocol.ts'
import { originOf, type IsTrusted, type Origin } from './proxies.ts'
import { noRoom, refusal, refusalOf, refuse, withoutBody } from './refusal.ts'
import type { RawRequest, RawResponse, RequestHead } from './request.ts'

export type Handler = (request: RawRequest) => Promise<RawResponse>

/** What the server learns from a request's head while the body is still arriving. */
export interface Screened {
  /** The request is refused whatever its body is. */
  readonly refusal?: RawResponse
  /** A lower limit on the body's bytes. */
  readonly bodyBytesMax?: number
}

/**
 * Checks the head of a request with a body that did not arrive with it. The handler repeats every
 * check. It never rejects.
 */
export type Screen = (head: RequestHead) => Promise<Screened>

/** A client's connection and its state. */
export interface Connection {
  readonly socket: Socket
  readonly slot: ConnectionSlot
  /** The connection's own origin, or that of the client for which a trusted proxy opened it. */
  origin: Origin & { readonly encrypted: boolean }
  /** Requests without a complete answer. */
  pending: number
  /** The connection ends with a refusal. Later requests on it are ignored. */
  refused: boolean
  /** Bytes arrived after the refusal. Nothing more is parsed. */
  over: boolean
}

export interface ExchangePorts {
  readonly listener: RawRequest['listener']
  readonly limits: ListenLimits
  readonly admission: Admission
  readonly isTrusted: IsTrusted
  readonly handler: Handler
  readonly screen: Screen | undefined
  /** True once the server is stopping: each connection closes after its answer. */
  readonly stopping: () => boolean
  /** Reports what a handler threw. The client learns only the request id. */
  readonly onFailure: (error: unknown, requestId: string) => void
}

/** The handler did not answer within its time limit. */
export class RequestOverdue extends Error {}

const seenByClose = (): void => {}

/** Ends the response or closes its connection. It rejects only for an internal fault. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
  ports: ExchangePorts,
): Promise<void> {
  const { limits, admission } = ports
  // `close` handles a broken connection. Without a listener the error would end the process.
  request.on('error', seenByClose)
  response.on('error', seenByClose)
  const deny = (answer: RawResponse): void => {
    connection.refused = true
    if (connection.pending === 1) connection.slot.refused()
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
  const slot = admission.begin(origin.source, {
    connection: connection.slot,
    isWhole: () => request.complete,
    drop: (why) => reading?.stop(why),
  })
  if (slot === undefined) return deny(noRoom(head))
  response.on('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  reading = readBody(request, limits.bodyBytesMax, slot)
  const screened = await screenedWhile(reading, head, ports.screen)
  if (screened.bodyBytesMax !== undefined) reading.limit(screened.bodyBytesMax)
  if (screened.refusal !== undefined) reading.stop('refused')
  const body = await reading.outcome
  if (typeof body === 'string' || connection.socket.destroyed) {
    slot.leave()
    if (body === 'refused' && screened.refusal !== undefined) return deny(screened.refusal)
    if (typeof body === 'string' && body !== 'gone') deny(withoutBody(head, body))
    return
  }
  const whole = { ...head, body }
  const work = handle(whole, ports)
  // The slot is held while the handler runs, even after its client got an answer.
  void work.then(slot.leave, slot.leave)
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

/** Screens the head only when the body is late. Most bodies arrive with the head. */
async function screenedWhile(
  reading: Reading,
  head: RequestHead,
  screen: Screen | undefined,
): Promise<Screened> {
  // A body that arrived in one piece with the head is parsed after this turn.
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
  // The handler of a client that was cut off at the stop must not keep the process alive.
  timer.unref()
  try {
    return await Promise.race([work, overdue.promise])
  } catch (error) {
    const requestId = randomUUID()
    onFailure(error, requestId)
    // Not even a `KmsError` is passed on: the handler did not intend an error that it did not render.
    return renderFailure(undefined, requestId, request)
  } finally {
    clearTimeout(timer)
  }
}

function send(response: ServerResponse, answer: RawResponse, last: boolean): void {
  if (response.destroyed) return
  try {
    // node:http also takes names and values in one list. That saves a copy of the object.
    const bytes = Buffer.byteLength(answer.body)
    const fields = ['Content-Length', String(bytes)]
    for (const name in answer.headers) fields.push(name, answer.headers[name] ?? '')
    if (last) fields.push('Connection', 'close')
    response.writeHead(answer.status, fields)
    // Single-byte text needs no encoding.
    response.end(answer.body, bytes === answer.body.length ? 'latin1' : 'utf8')
  } catch {
    // HTTP cannot express the status or a header. Nothing was written, so close the connection: no client
    // must wait.
    response.destroy()
  }
}
