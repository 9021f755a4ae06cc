/** A page of a list. @module */

export interface Page {
  /** Names after this one, in byte order; from the start when left out. */
  readonly after?: string
  /** At most this many rows. */
  readonly limit: number
}
