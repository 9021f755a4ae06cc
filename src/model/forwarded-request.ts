/** A user's request to a service, as the service says that it was sent. @module */

export interface ForwardedRequest {
  readonly method: string
  /** Of the request target, as sent. */
  readonly path: string
  /** Without its `?`, as sent. */
  readonly query: string
  /** All that were signed, and those that say by whom. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, lower-case hex; for S3 also what stands for it in a body that is not signed. */
  readonly payloadHash: string
}
