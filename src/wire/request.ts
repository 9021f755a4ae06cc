/** A request as received and an answer as sent: raw bytes. @module */

import type { PeerUser } from './peer-user.ts'

/** Everything known about a request before its body. */
export interface RequestHead {
  /**
   * The listener that received it: the public port, that of the XKS proxies, that for unsealing, or the
   * operator socket.
   */
  readonly listener: 'public' | 'xks-proxy' | 'unseal' | 'operator'
  readonly method: string
  /** The request target as sent: path and query, still encoded. */
  readonly target: string
  /** Names and values as sent, alternating, latin1, with duplicates. */
  readonly rawHeaders: readonly string[]
  /** The client's address, as far as trusted proxies report it. */
  readonly remoteAddress: string
  /** True when nobody on the way could read the request: it came over TLS, or never left this machine. */
  readonly secure: boolean
  /** The client's TLS with this server, in OpenSSL's words like AWS's records; absent without TLS. */
  readonly tls?: { readonly version: string; readonly cipherSuite: string }
  /** The certificate that the client has shown and that is verified, on the port for unsealing. */
  readonly clientCertificate?:
    | {
        /** `CN=alice, O=example`, at most 256 characters. */
        readonly subject: string
        /** Of the certificate, 64 hexadecimal digits. */
        readonly sha256: string
      }
    | undefined
  /**
   * Who calls on the operator socket: a user of the system, or the server itself at its start. Absent when
   * the system does not say who it is.
   */
  readonly peer?: PeerUser | 'server'
  /** Aborts when the client disconnects or the request exceeds its time limit. */
  readonly signal: AbortSignal
}

/** The parts of a request that determine its protocol and target. */
export type RequestLine = Pick<RequestHead, 'listener' | 'method' | 'target' | 'rawHeaders'>

export interface RawRequest extends RequestHead {
  readonly body: Buffer
  /** Identifies the connection that the request came over, if it came over one. */
  readonly connection?: object
}

export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}
