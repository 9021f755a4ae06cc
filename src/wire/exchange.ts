/**
 * Handles one HTTP exchange: refuses the request, or reads it, runs the handler within a time limit and
 * answers.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Admission, ConnectionSlot, Requester, RequestSlot } from './admission.ts'
import { KeptBody, type BodyReader, type ReceivedRequest } from './body.ts'
import type { DropReason } from './held.ts'
import type { ListenLimits } from './limits.ts'
import { renderFailure } from './protocol.ts'
import { originOf, type IsTrusted, type ConnectionOrigin } from './proxies.ts'
import { dropped, noRoom, refusal, refusalOf, refuse, tooLarge } from './refusal.ts'
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
  origin: ConnectionOrigin
  /** Absent without TLS of the server's own. */
  readonly tls?: RawRequest['tls']
  readonly clientCertificate?: RawRequest['clientCertificate']
  /** The user who connected to the operator socket. */
  readonly peer?: RawRequest['peer']
  /** Requests without a complete answer. */
  readonly exchanges: Set<Exchange>
  /** Requests with a new head or a new end. They go on after the parser. */
  readonly parsed: Exchange[]
  /** The connection ends with a refusal. Later requests on it are ignored. */
  refused: boolean
  /** Bytes arrived after the refusal. Nothing more is parsed. */
  over: boolean
}

export interface ExchangeDependencies {
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

/**
 * One request, from its head to the end of its answer. It waits for nothing: the parser, the handler and
 * the connection call it.
 */
export class Exchange implements BodyReader, Requester {
  readonly #request: ReceivedRequest
  readonly #response: ServerResponse
  readonly #connection: Connection
  readonly #dependencies: ExchangeDependencies
  readonly #controller = new AbortController()
  readonly #head: RequestHead
  /** Undefined when a proxy does not say it clearly. */
  readonly #source: string | undefined
  readonly #body = new KeptBody()
  #bodyBytesMax: number
  #slot: RequestSlot | undefined
  #state: 'reading' | 'whole' | 'running' | 'answered' | 'over' = 'reading'
  #isScreened = false

  constructor(
    request: ReceivedRequest,
    response: ServerResponse,
    connection: Connection,
    dependencies: ExchangeDependencies,
  ) {
    const { method = '', url: target = '', rawHeaders } = request
    this.#request = request
    this.#response = response
    this.#connection = connection
    this.#dependencies = dependencies
    this.#bodyBytesMax = dependencies.limits.bodyBytesMax
    const origin = originOf(connection.origin, rawHeaders, dependencies.isTrusted)
    const { address: remoteAddress, secure } = origin ?? connection.origin
    this.#source = origin?.source
    // A proxy that forwards another client's request has made this TLS connection, not the client.
    const tls = origin === connection.origin ? connection.tls : undefined
    this.#head = {
      listener: dependencies.listener,
      method,
      target,
      rawHeaders,
      remoteAddress,
      secure,
      ...(tls && { tls }),
      ...(connection.peer && { peer: connection.peer }),
      ...(connection.clientCertificate && { clientCertificate: connection.clientCertificate }),
      signal: this.#controller.signal,
    }
  }

  get connection(): ConnectionSlot {
    return this.#connection.slot
  }

  /** Refuses the request, or lets its body come. */
  begin(): void {
    const { limits, admission } = this.#dependencies
    const refused = refusalOf(this.#request, this.#head, limits)
    if (refused !== undefined) return this.#deny(refused)
    if (this.#source === undefined) {
      const message = 'a proxy names a source that is not an address'
      return this.#deny(refusal(this.#head, 'IncompleteSignatureException', message))
    }
    this.#slot = admission.begin(this.#source, this)
    if (this.#slot === undefined) return this.#deny(noRoom(this.#head))
    this.#request.reader = this
    this.#connection.parsed.push(this)
  }

  take(piece: Buffer): boolean {
    if (this.#state !== 'reading') return true
    if (this.#body.length + piece.length > this.#bodyBytesMax) this.#deny(tooLarge(this.#head))
    else if (this.#slot?.hold(piece.length) !== true) this.#deny(noRoom(this.#head))
    else this.#body.append(piece, this.#bodyBytesMax)
    return true
  }

  end(): void {
    if (this.#state !== 'reading') return
    this.#state = 'whole'
    this.#slot?.bodyIsIn()
    if (this.#isScreened) this.#connection.parsed.push(this)
  }

  /** The admission takes the slot away. The refusal is written after it has made its room. */
  drop(reason: DropReason): void {
    this.#state = 'over'
    process.nextTick(() => this.#deny(dropped(this.#head, reason)))
  }

  /** The parser has finished. Runs the handler if the body is whole, otherwise screens the head. */
  parsed(): void {
    if (this.#state === 'whole') {
      if (this.#connection.socket.destroyed) this.gone()
      else this.#run()
    } else if (this.#state === 'reading' && !this.#isScreened) {
      this.#isScreened = true
      void this.#screen()
    }
  }

  /** The connection closed before the answer was complete. */
  gone(): void {
    if (this.#state === 'running' || this.#state === 'answered') {
      this.#controller.abort()
      return
    }
    this.#state = 'over'
    this.#slot?.leave()
  }

  async #screen(): Promise<void> {
    const { screen } = this.#dependencies
    if (screen === undefined) return
    try {
      const { refusal: refused, bodyBytesMax = Infinity } = await screen(this.#head)
      if (this.#state !== 'reading') return
      this.#bodyBytesMax = Math.min(this.#bodyBytesMax, bodyBytesMax)
      const declared = Number(this.#request.headers['content-length'] ?? '0')
      if (refused !== undefined) this.#deny(refused)
      else if (Math.max(this.#body.length, declared) > this.#bodyBytesMax) {
        this.#deny(tooLarge(this.#head))
      }
    } catch (error) {
      endBroken(this.#connection, error, this.#dependencies)
    }
  }

  #deny(answer: RawResponse): void {
    const connection = this.#connection
    this.#state = 'over'
    this.#slot?.leave()
    if (connection.socket.destroyed) return
    connection.refused = true
    if (connection.exchanges.size === 1) connection.slot.refused()
    this.#response.once('close', () => this.#done())
    refuse(this.#request, this.#response, answer, this.#dependencies.limits)
  }

  #run(): void {
    const { handler, limits } = this.#dependencies
    const body = this.#body.take()
    const request: RawRequest = { ...this.#head, body, connection: this.#connection }
    const overdue = (): void => {
      const error = new RequestOverdue(`the handler took longer than ${limits.handlerMs} ms`)
      this.#controller.abort(error)
      this.#fail(error, request)
    }
    // The handler of a client that was cut off at the stop must not keep the process alive.
    const timer = setTimeout(overdue, limits.handlerMs).unref()
    // The slot is held while the handler runs, even after its client got an answer.
    const settled = (): void => {
      clearTimeout(timer)
      this.#slot?.leave()
    }
    this.#state = 'running'
    const answered = (answer: RawResponse): void => {
      settled()
      this.#send(answer)
    }
    const failed = (error: unknown): void => {
      settled()
      this.#fail(error, request)
    }
    resultOf(handler, request).then(answered, failed)
  }

  /** Not even a `KmsError` is passed on: the handler did not intend an error that it did not render. */
  #fail(error: unknown, request: RawRequest): void {
    if (this.#state === 'answered') return
    const requestId = randomUUID()
    this.#dependencies.onFailure(error, requestId)
    this.#send(renderFailure(undefined, requestId, request))
  }

  #send(answer: RawResponse): void {
    if (this.#state === 'answered') return
    this.#state = 'answered'
    const response = this.#response
    if (response.destroyed) return
    try {
      // node:http also takes names and values in one list. That saves a copy of the object.
      const bytes = Buffer.byteLength(answer.body)
      const fields = ['Content-Length', String(bytes)]
      for (const name in answer.headers) fields.push(name, answer.headers[name] ?? '')
      if (this.#dependencies.stopping()) fields.push('Connection', 'close')
      response.writeHead(answer.status, fields)
      // Single-byte text needs no encoding.
      const encoding = bytes === answer.body.length ? 'latin1' : 'utf8'
      response.end(answer.body, encoding, () => response.writableFinished && this.#done())
    } catch {
      // HTTP cannot express the status or a header. Nothing was written, so close the connection: no client
      // must wait.
      response.destroy()
    }
  }

  /** The answer is complete. */
  #done(): void {
    const { exchanges, refused, slot, socket } = this.#connection
    exchanges.delete(this)
    if (exchanges.size > 0) return
    if (refused) slot.refused()
    else slot.idle()
    if (this.#dependencies.stopping()) socket.destroySoon()
  }
}

/** An internal fault ends one connection, not the process. */
export function endBroken(
  { socket }: Connection,
  error: unknown,
  { onFailure }: Pick<ExchangeDependencies, 'onFailure'>,
): void {
  onFailure(error, randomUUID())
  socket.destroy()
}

function resultOf(handler: Handler, request: RawRequest): Promise<RawResponse> {
  try {
    return handler(request)
  } catch (error) {
    return Promise.reject(error)
  }
}
