/**
 * The listeners: the public port and the operator's Unix socket, over `node:http`. The limits of
 * `limits.ts` bound what a client can hold or keep waiting. In every case a request is answered or its
 * connection closed.
 * @module
 */
import type { Server as HttpServer, ServerResponse } from 'node:http'
import { Server as HttpsServer, type ServerOptions as TlsOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { isLoopback, plainAddress, sourceOf } from '../model/address.ts'
import { createAdmission, type Admission, type ConnectionSlot } from './admission.ts'
import type { ReceivedRequest } from './body.ts'
import {
  endBroken,
  Exchange,
  type Connection,
  type ExchangeDependencies,
  type Handler,
  type Screen,
} from './exchange.ts'
import { createHttpServer } from './http-server.ts'
import { defaultLimits, type ListenLimits } from './limits.ts'
import { peerUserOf } from './peer-user.ts'
import { parseInPieces } from './pieces.ts'
import { trusting } from './proxies.ts'
import { readProxyHeader } from './proxy-header.ts'
import type { RawRequest } from './request.ts'
import { refuseSocket } from './refusal.ts'
import { boundHandshakes, certificateOf, tlsOptions, type TlsFiles } from './tls.ts'
import { listenAt } from './unix-socket.ts'

/** An address and port (0 for any free one), or the path of the operator's socket. */
export type ListenOptions = (
  | {
      readonly host: string
      readonly port: number
      /** Other threads share the port: the system distributes the connections. */
      readonly shared?: boolean
      /** Without it, the listener speaks plain HTTP. */
      readonly tls?: TlsFiles
      /** The public port if absent. */
      readonly listener?: 'xks-proxy' | 'unseal'
    }
  | {
      readonly socketPath: string
      /** Number of the group whose members may connect as well. */
      readonly group?: number | undefined
    }
) & {
  /** The limits that differ from `defaultLimits`. */
  readonly limits?: Partial<ListenLimits>
  /** Addresses and networks of the proxies that may report a client's address. */
  readonly trustedProxies?: readonly string[]
  /** Gets what a handler threw, under the request id that the client received. */
  readonly log: Pick<Logger, 'error'>
}

export interface Listener {
  /** The bound address, IPv6 without brackets; empty for a socket. */
  readonly host: string
  /** 0 for a socket. */
  readonly port: number
  /**
   * Uses other certificates for new connections; open ones continue. @throws if the listener has no TLS, or
   * OpenSSL does not take the files: the old ones stay then
   */
  readonly useTls: (files: TlsFiles) => void
  /** Goes on accepting, and closes each connection after its next answer. */
  readonly leave: () => void
  /**
   * Stops accepting, ends idle connections, and waits up to `graceMs` for requests in flight. Then it
   * cuts the rest. Resolves when nothing listens and no connection is open.
   */
  readonly close: (graceMs: number) => Promise<void>
}

type Server = HttpServer | HttpsServer

/** Resolves once the server accepts connections. @throws when it cannot listen there */
export async function listen(
  options: ListenOptions,
  handler: Handler,
  screen?: Screen,
): Promise<Listener> {
  const limits: ListenLimits = { ...defaultLimits, ...options.limits }
  const admission = createAdmission(limits)
  const connections = new Map<Socket, Connection>()
  let stopping = false
  const listener = 'socketPath' in options ? 'operator' : (options.listener ?? 'public')
  const tls = 'socketPath' in options ? undefined : options.tls
  const tlsOptionsOf = (files: TlsFiles): TlsOptions => tlsOptions(files, minVersionOf(listener))
  const server = createHttpServer(limits, tls && tlsOptionsOf(tls))
  const dependencies: ExchangeDependencies = {
    listener,
    limits,
    admission,
    isTrusted: trusting(options.trustedProxies ?? []),
    handler,
    screen,
    stopping: () => stopping,
    onFailure: (err, requestId) => options.log.error({ err, requestId }, 'a handler failed'),
  }
  const endHandshakes = trackConnections(server, connections, dependencies)
  answerRequests(server, connections, dependencies)
  const removeFile = await open(server, options)
  const sweep = setInterval(admission.dropSlowBodies, Math.min(500, limits.bodyGraceMs)).unref()
  // Such an error (a failing accept) concerns one client, not the process.
  server.on('error', (err) => options.log.error({ err }, 'the listener failed to accept'))
  let closed: Promise<void> | undefined
  const close = (graceMs: number): Promise<void> => {
    stopping = true
    clearInterval(sweep)
    endHandshakes()
    closed ??= stop(server, connections, admission, graceMs).finally(removeFile)
    return closed
  }
  const leave = (): void => void (stopping = true)
  const useTls = (files: TlsFiles): void => {
    if (!(server instanceof HttpsServer)) throw new Error('the listener has no TLS')
    server.setSecureContext(tlsOptionsOf(files))
  }
  return { ...addressOf(server), useTls, leave, close }
}

/** All clients of the port for unsealing are this program. */
function minVersionOf(listener: RawRequest['listener']): 'TLSv1.2' | 'TLSv1.3' {
  return listener === 'unseal' ? 'TLSv1.3' : 'TLSv1.2'
}

/** Returns a function that ends all incomplete TLS handshakes. */
function trackConnections(
  server: Server,
  connections: Map<Socket, Connection>,
  dependencies: ExchangeDependencies,
): () => void {
  const { limits } = dependencies
  const track = (socket: Socket, connection: Connection, preface?: Preface): void => {
    connections.set(socket, connection)
    parseInPieces(socket, {
      isOver: () => connection.over,
      parsed: () => goOn(connection, dependencies),
      ...(preface && { preface }),
    })
    socket.once('close', () => {
      connections.delete(socket)
      for (const exchange of connection.exchanges) exchange.gone()
      connection.slot.leave()
    })
  }
  if (server instanceof HttpsServer) {
    return boundHandshakes(server, limits, (carrier) => {
      const arrival = admit(carrier, 'handshaking', dependencies)
      if (arrival === undefined) return undefined
      const { slot, isProxy } = arrival
      return {
        ...(isProxy && { preface: (bytes) => takeProxyHeader(bytes, arrival, () => slot.end()) }),
        secured(socket, tls) {
          slot.secured()
          const origin = { ...arrival.origin, secure: true }
          const isUnsealing = dependencies.listener === 'unseal'
          const clientCertificate = isUnsealing ? certificateOf(socket) : undefined
          track(socket, { ...newConnection(socket, { slot, origin }), tls, clientCertificate })
        },
        gone: slot.leave.bind(slot),
      }
    })
  }
  server.on('connection', (socket: Socket) => {
    const arrival = admit(socket, 'new', dependencies)
    if (arrival === undefined) {
      socket.destroy()
      return
    }
    const peer = dependencies.listener === 'operator' ? peerUserOf(socket) : undefined
    const connection = { ...newConnection(socket, arrival), ...(peer && { peer }) }
    const refuseHeader = (): void => {
      connection.refused = true
      connection.slot.refused()
      refuseSocket(socket, 400, limits.lingerMs)
    }
    const preface: Preface = (bytes) => takeProxyHeader(bytes, connection, refuseHeader)
    track(socket, connection, arrival.isProxy ? preface : undefined)
  })
  return () => undefined
}

type Preface = (bytes: Buffer) => number | undefined

interface Arrival extends Pick<Connection, 'slot' | 'origin' | 'over'> {
  readonly isProxy: boolean
}

/** Undefined when the connection does not fit. */
function admit(
  socket: Socket,
  begins: 'handshaking' | 'new',
  { admission, isTrusted, listener }: ExchangeDependencies,
): Arrival | undefined {
  const address = plainAddress(socket.remoteAddress)
  const secure = listener === 'operator' || isLoopback(address)
  const source = sourceOf(address)
  // A proxy's connections belong to many clients.
  const isProxy = listener === 'public' && isTrusted(address)
  const slot = admission.connect(isProxy ? undefined : source, () => socket.destroy(), begins)
  return slot && { slot, origin: { address, source, secure }, isProxy, over: false }
}

function newConnection(
  socket: Socket,
  { slot, origin }: { readonly slot: ConnectionSlot; readonly origin: Connection['origin'] },
): Connection {
  return { socket, slot, origin, exchanges: new Set(), parsed: [], refused: false, over: false }
}

/** Continues with the requests of the bytes that were parsed. */
function goOn(connection: Connection, dependencies: ExchangeDependencies): void {
  try {
    for (const exchange of connection.parsed) exchange.parsed()
  } catch (error) {
    endBroken(connection, error, dependencies)
  }
  connection.parsed.length = 0
}

/** Length of the PROXY header before the client's bytes; undefined while it is incomplete. */
function takeProxyHeader(
  bytes: Buffer,
  connection: Pick<Connection, 'slot' | 'origin' | 'over'>,
  refuse: () => void,
): number | undefined {
  const header = readProxyHeader(bytes)
  if (header === 'more') return undefined
  if (header === 'none') return 0
  if (header === 'malformed') {
    connection.over = true
    refuse()
    return bytes.length
  }
  if (header.local) return header.bytes
  const { address = connection.origin.address, tls } = header
  const source = sourceOf(address)
  connection.origin = { address, source, secure: tls }
  if (header.address !== undefined && !connection.slot.belongTo(source)) {
    connection.over = true
    connection.slot.end()
  }
  return header.bytes
}

function answerRequests(
  server: Server,
  connections: ReadonlyMap<Socket, Connection>,
  dependencies: ExchangeDependencies,
): void {
  const { lingerMs, pipelinedMax } = dependencies.limits
  const onRequest = (request: ReceivedRequest, response: ServerResponse): void => {
    const connection = connections.get(request.socket)
    // The connection was refused, or the client sent more after a refusal.
    if (connection === undefined || connection.refused) {
      if (connection !== undefined) connection.over = true
      return
    }
    const { exchanges, slot, socket } = connection
    // The server would have to keep every answer for a client that sends requests and reads nothing. That
    // client loses its pending answers.
    if (exchanges.size >= pipelinedMax) {
      connection.refused = true
      connection.over = true
      socket.destroy()
      return
    }
    slot.busy()
    try {
      const exchange = new Exchange(request, response, connection, dependencies)
      exchanges.add(exchange)
      exchange.begin()
    } catch (error) {
      endBroken(connection, error, dependencies)
    }
  }
  server.on('request', onRequest)
  // Without these two, Node itself would send 100 Continue for a body that is about to be refused.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  const onUnread = (socket: Duplex, status: number): void => {
    const connection = connections.get(socket as Socket) // node:http creates only these
    // INVARIANT (one connection, one parser): Node gives the parser of a CONNECT to the next connection. What
    // this client sends from here on would be that other client's request.
    if (connection !== undefined) connection.over = true
    if (connection?.refused === true) return
    // An answer may be half written. Nothing can follow it.
    if (connection === undefined || connection.exchanges.size > 0 || !socket.writable) {
      socket.destroy()
      return
    }
    connection.refused = true
    connection.slot.refused()
    refuseSocket(socket, status, lingerMs)
  }
  server.on('connect', (_request, socket) => onUnread(socket, 405))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    onUnread(socket, statusOfClientError(error.code)),
  )
}

function statusOfClientError(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

/** Listens. Returns a function that removes the socket's file. */
async function open(server: Server, options: ListenOptions): Promise<() => Promise<void>> {
  if ('socketPath' in options) return listenAt(server, options.socketPath, options.group)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const { host, port, shared: reusePort = false } = options
    server.listen({ host, port, reusePort }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return async () => {}
}

function addressOf(server: Server): Pick<Listener, 'host' | 'port'> {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') return { host: '', port: 0 }
  return { host: bound.address, port: bound.port }
}

async function stop(
  server: Server,
  connections: ReadonlyMap<Socket, Connection>,
  admission: Admission,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const connection of connections.values()) {
    if (connection.exchanges.size === 0) connection.socket.destroy()
  }
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, graceMs)
  await Promise.race([Promise.all([closed, admission.idle()]), over.promise])
  clearTimeout(timer)
  for (const connection of connections.values()) connection.socket.destroy()
  await closed
}
