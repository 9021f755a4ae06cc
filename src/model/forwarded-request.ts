/** A user's request to a service, as the service reports it. @module */

export interface ForwardedRequest {
  readonly method: string
  /** The path of the request target, as sent. */
  readonly path: string
  /** The query string without `?`, as sent. */
  readonly query: string
  /** All signed headers, and those that carry the signature and the session token. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, in lower-case hex. For S3 also the marker of an unsigned body. */
  readonly payloadHash: string
}
