/** Pages of lists. @module */

export interface Page {
  /** Names after this one, in byte order. If absent, the page starts at the beginning. */
  readonly after?: string
  /** At most this many rows. */
  readonly limit: number
}

/** A page of what is due at a time, the longest due first. */
export interface DuePage<T> {
  /** Milliseconds since the epoch. */
  readonly dueBy: number
  /** The last item of the page before. If absent, the page starts at the beginning. */
  readonly after?: T
  readonly limit: number
}
