/** What clients hold of a listener, in all and by source. @module */

/** What one source holds, or all together. */
export interface Held {
  connections: number
  requests: number
  bodyBytes: number
  /** Bodies that are not whole. */
  readonly bodies: Set<Body>
  /** Connections without a request; each set is in the order in which they became so. */
  readonly spare: Readonly<Record<Spare, Set<Endable>>>
}

/** Why nobody needs a connection, in the order in which such connections are ended. */
export const spares = ['refused', 'new', 'idle'] as const
export type Spare = (typeof spares)[number]

export interface Body {
  /** Milliseconds, of the clock of the admission. */
  readonly since: number
  bytes: number
  readonly connection: Endable
  /** Whether its last byte is here, though nobody has been told yet. */
  readonly isWhole: () => boolean
  readonly drop: (reason: DropReason) => void
}

/** Why a body is given up: its room is needed, or it comes below the minimum rate. */
export type DropReason = 'dropped' | 'too slow'

export interface Endable {
  readonly end: () => void
}

export interface Ledger {
  readonly total: Held
  readonly of: (source: string) => Held
  /** To be called when something was given back. */
  readonly forgetUnused: (source: string) => void
}

export function createLedger(): Ledger {
  // As many entries as there are connections and requests, no more.
  const sources = new Map<string, Held>()
  return {
    total: nothingHeld(),
    of(source) {
      const known = sources.get(source)
      if (known !== undefined) return known
      const held = nothingHeld()
      sources.set(source, held)
      return held
    },
    forgetUnused(source) {
      const held = sources.get(source)
      if (held?.connections === 0 && held.requests === 0) sources.delete(source)
    },
  }
}

function nothingHeld(): Held {
  const spare = { refused: new Set<Endable>(), new: new Set<Endable>(), idle: new Set<Endable>() }
  return { connections: 0, requests: 0, bodyBytes: 0, bodies: new Set(), spare }
}

/** Bytes that every body is taken to have had at its start, so that one which has just begun is not slow. */
const headStartBytes = 4096

/** The body that comes most slowly. It looks at each, so whoever calls it ends a request. */
export function slowestOf({ bodies }: Held, now: number): Body | undefined {
  let slowest: Body | undefined
  let least = Infinity
  for (const body of bodies) {
    if (body.isWhole()) continue
    const rate = (body.bytes + headStartBytes) / Math.max(1, now - body.since)
    if (rate < least) {
      slowest = body
      least = rate
    }
  }
  return slowest
}
