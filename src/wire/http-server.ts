/** The server of a listener, with and without TLS, under its limits. @module */
import { createServer, type Server as HttpServer } from 'node:http'
import {
  createServer as createTlsServer,
  type Server as HttpsServer,
  type ServerOptions as TlsOptions,
} from 'node:https'
import { ReceivedRequest } from './body.ts'
import type { ListenLimits } from './limits.ts'

export function createHttpServer(
  limits: ListenLimits,
  tls: TlsOptions | undefined,
): HttpServer | HttpsServer {
  const options = {
    IncomingMessage: ReceivedRequest,
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    keepAliveTimeoutBuffer: Math.min(1_000, limits.idleMs),
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(limits.headersMs / 4)),
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    requireHostHeader: true,
    noDelay: true,
  }
  const server = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls })
  server.timeout = limits.stallMs
  // Node silently drops headers beyond its own count. `headersMax` refuses them instead.
  server.maxHeadersCount = 0
  return server
}
