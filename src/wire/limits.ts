/**
 * Every limit of a listener, with its default. What a client can hold of the server is bounded
 * here.
 * @module
 */

export interface ListenLimits {
  /** Bytes of one request's body. */
  readonly bodyBytesMax: number
  /** Bytes of one request's line and headers together. */
  readonly headerBytesMax: number
  /** Header fields of one request. */
  readonly headersMax: number
  /** Milliseconds from the connection, or the request's first byte, to the end of its headers. */
  readonly headersMs: number
  /** Milliseconds from a request's first byte to the last of its body. */
  readonly requestMs: number
  /** Bytes a second, from a body's start on, below which its request is dropped. */
  readonly bodyBytesPerSecondMin: number
  /** Milliseconds after a body's start in which its rate does not count. */
  readonly bodyGraceMs: number
  /** Milliseconds that the handler of one request has; its signal aborts then. */
  readonly handlerMs: number
  /** Milliseconds that a connection may go between one answer and the next request. */
  readonly idleMs: number
  /** Milliseconds without a byte either way, after which a connection is cut whatever it is doing. */
  readonly stallMs: number
  /** Milliseconds that a client has to read a refusal before its connection is cut. */
  readonly lingerMs: number
  /** Bytes read and thrown away meanwhile; the rest is left to the client's side of the connection. */
  readonly lingerBytesMax: number
  /** Requests of one connection whose answers are not out yet: no AWS client sends a second one. */
  readonly pipelinedMax: number
  readonly connectionsMax: number
  /** Of one source: an IPv4 address, or an IPv6 /64. */
  readonly connectionsPerSourceMax: number
  /** Requests whose headers are in and whose handler has not ended. */
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
  requestsMax: 4_096,
  requestsPerSourceMax: 1_024,
  bodyBytesHeldMax: 128 * 1024 * 1024,
  bodyBytesHeldPerSourceMax: 32 * 1024 * 1024,
})

/**
 * The share of one worker of several: what is counted by source or in all is divided, so that nobody can hold
 * more of the process by being spread over them.
 */
export function limitsOfWorker(workers: number): Partial<ListenLimits> {
  const share = (of: number): number => Math.ceil(of / workers)
  const limits = defaultLimits
  return {
    connectionsMax: share(limits.connectionsMax),
    connectionsPerSourceMax: share(limits.connectionsPerSourceMax),
    requestsMax: share(limits.requestsMax),
    requestsPerSourceMax: share(limits.requestsPerSourceMax),
    bodyBytesHeldMax: share(limits.bodyBytesHeldMax),
    bodyBytesHeldPerSourceMax: share(limits.bodyBytesHeldPerSourceMax),
  }
}
