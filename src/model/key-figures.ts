/** Counts of the keys of a whole deployment. @module */
export interface KeyFigures {
  readonly byState: Readonly<Record<string, number>>
  /** Milliseconds since the epoch; undefined if no material expires. */
  readonly soonestExpiry?: number
}
