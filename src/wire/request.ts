/**
 * A request as it came from the socket, and an answer as it goes back: bytes, nothing read yet.
 * @module
 */

/** All that is known of a request before its body. */
export interface RequestHead {
  /** The listener it came through: the public port, or the operator socket. */
  readonly listener: 'public' | 'operator'
  readonly method: string
  /** The request target as sent: path and query, not decoded. */
  readonly target: string
  /** Names and values as they came, alternating, latin1; duplicates kept. */
  readonly rawHeaders: readonly string[]
  /** The client's, as far as trusted proxies say it. */
  readonly remoteAddress: string
  /** True when nobody on the way could read it: over TLS, or without leaving this machine. */
  readonly secure: boolean
  /** What TLS agreed on; absent without it. */
  readonly tls?: { readonly version: string; readonly cipherSuite: string }
  /** Aborted when the client goes away or the server's bound on one request is over. */
  readonly signal: AbortSignal
}

/** What tells the protocol of a request, and what it is for. */
export type RequestLine = Pick<RequestHead, 'listener' | 'method' | 'target' | 'rawHeaders'>

export interface RawRequest extends RequestHead {
  readonly body: Buffer
}

export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}
