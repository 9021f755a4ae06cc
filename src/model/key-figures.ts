/** Keys of a whole deployment, counted. @module */
export interface KeyFigures {
  readonly byState: Readonly<Record<string, number>>
  /** Milliseconds since the epoch; undefined where no material expires. */
  readonly soonestExpiry?: number
}
