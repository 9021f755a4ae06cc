/**
 * How old the knowledge of a node is. Pure: `docs/adr/0038-several-nodes.md` has the rules.
 * @module
 */

/** One moment on two clocks, in milliseconds. */
export interface Moment {
  /** Stops while the machine is suspended. */
  readonly monotonic: number
  /** Somebody may set it. */
  readonly wall: number
}

/** The greater of the times that the two clocks show to have passed. */
export function ageMs(since: Moment, now: Moment): number {
  return Math.max(now.monotonic - since.monotonic, now.wall - since.wall)
}

/** What a node knows of the database that it shares with others. */
export interface Knowledge {
  /** Before the last successful confirmation was sent; absent before the first one. */
  readonly confirmed: Moment | undefined
  /** The database lacks a change that the node has applied. */
  readonly rewound: boolean
}

/** Why what the node knew at its last confirmation must not decide; undefined if it may. */
export function refusalOf(
  { confirmed, rewound }: Knowledge,
  now: Moment,
  boundMs: number,
): string | undefined {
  if (rewound) return rewoundReason
  if (confirmed === undefined) return 'it has not reached the database yet'
  const age = ageMs(confirmed, now)
  if (age <= boundMs) return undefined
  return `it has not confirmed for ${Math.floor(age / 1000)} s that it knows the latest changes`
}

export const rewoundReason =
  'the database lacks changes that this node has applied: see `trent database accept-loss`'

/** Whether a node may decide by what it knows. */
export interface Freshness {
  /** The last confirmation, for `refusal`. */
  readonly moment: () => Moment | undefined
  /**
   * Why what this node knows must not decide a call; undefined if it may.
   * @param since the moment of the confirmation that a decision was made after
   */
  readonly refusal: (since?: Moment) => string | undefined
}

/** A node that has the database for itself. */
export const alwaysFresh: Freshness = { moment: () => undefined, refusal: () => undefined }
