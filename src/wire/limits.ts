/**
 * Every limit of a listener, with its default. They bound the resources that a client can hold.
 * @module
 */

export interface ListenLimits {
  /** Bytes of one request's body. */
  readonly bodyBytesMax: number
  /** Bytes of one request's line and headers together. */
  readonly headerBytesMax: number
  /** Header fields of one request. */
  readonly headersMax: number
  /** Milliseconds from the connection to the end of the TLS handshake. */
  readonly handshakeMs: number
  /** Milliseconds from the connection, or the request's first byte, to the end of the headers. */
  readonly headersMs: number
  /** Milliseconds from a request's first byte to the last byte of its body. */
  readonly requestMs: number
  /** Minimum bytes a second, from the start of a body. A slower request is dropped. */
  readonly bodyBytesPerSecondMin: number
  /** Milliseconds after the start of a body before its rate counts. */
  readonly bodyGraceMs: number
  /** Milliseconds that the handler of one request may take. Its signal aborts then. */
  readonly handlerMs: number
  /** Milliseconds between an answer and the next request on the connection. */
  readonly idleMs: number
  /**
   * Milliseconds without a byte in either direction before a connection is closed, whatever its state.
   */
  readonly stallMs: number
  /** Milliseconds that a client has to read a refusal before its connection is closed. */
  readonly lingerMs: number
  /** Bytes that are read and discarded meanwhile. The rest stays in the client's buffers. */
  readonly lingerBytesMax: number
  /** Unanswered requests of one connection. AWS clients send only one at a time. */
  readonly pipelinedMax: number
  readonly connectionsMax: number
  /** For one source: an IPv4 address, or an IPv6 /64. */
  readonly connectionsPerSourceMax: number
  /** Connections with an incomplete TLS handshake. The oldest makes room for the next. */
  readonly handshakesMax: number
  readonly handshakesPerSourceMax: number
  /** Requests with complete headers and a running handler. */
  readonly requestsMax: number
  readonly requestsPerSourceMax: number
  /** Body bytes that those requests hold. */
  readonly bodyBytesHeldMax: number
  readonly bodyBytesHeldPerSourceMax: number
}

export const defaultLimits: ListenLimits = Object.freeze({
  bodyBytesMax: 1024 * 1024,
  headerBytesMax: 32 * 1024,
  headersMax: 128,
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  bodyBytesPerSecondMin: 4096,
  bodyGraceMs: 5_000,
  handlerMs: 30_000,
  idleMs: 60_000,
  stallMs: 90_000,
  lingerMs: 2_000,
  lingerBytesMax: 16 * 1024 * 1024,
  pipelinedMax: 16,
  connectionsMax: 8_192,
  connectionsPerSourceMax: 1_024,
  handshakesMax: 2_048,
  handshakesPerSourceMax: 512,
  requestsMax: 4_096,
  requestsPerSourceMax: 1_024,
  bodyBytesHeldMax: 128 * 1024 * 1024,
  bodyBytesHeldPerSourceMax: 32 * 1024 * 1024,
})

/**
 * The limits of one of several workers. Limits by source and in total are divided, so that a client
 * cannot hold more of the process by spreading over the workers.
 */
export function limitsOfWorker(workers: number): Partial<ListenLimits> {
  const share = (of: number): number => Math.ceil(of / workers)
  const limits = defaultLimits
  return {
    connectionsMax: share(limits.connectionsMax),
    connectionsPerSourceMax: share(limits.connectionsPerSourceMax),
    handshakesMax: share(limits.handshakesMax),
    handshakesPerSourceMax: share(limits.handshakesPerSourceMax),
    requestsMax: share(limits.requestsMax),
    requestsPerSourceMax: share(limits.requestsPerSourceMax),
    bodyBytesHeldMax: share(limits.bodyBytesHeldMax),
    bodyBytesHeldPerSourceMax: share(limits.bodyBytesHeldPerSourceMax),
  }
}
