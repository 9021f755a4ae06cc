/** A page of a list. @module */

export interface Page {
  /** Names after this one, in byte order. If absent, the page starts at the beginning. */
  readonly after?: string
  /** At most this many rows. */
  readonly limit: number
}
