/**
 * A request as it came from the socket, and an answer as it goes back: bytes, nothing read yet.
 * @module
 */

export interface RawRequest {
  /** The listener it came through: the public port, or the operator socket. */
  readonly listener: 'public' | 'operator'
  readonly method: string
  /** The request target as sent: path and query, not decoded. */
  readonly target: string
  /** Names and values as they came, alternating, latin1; duplicates kept. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly remoteAddress: string
  /** True over TLS. */
  readonly secure: boolean
  /** What TLS agreed on; absent without it. */
  readonly tls?: { readonly version: string; readonly cipherSuite: string }
  /** Aborted when the client goes away or the server's bound on one request is over. */
  readonly signal: AbortSignal
}

export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}
