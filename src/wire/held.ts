/** Counts the resources that clients of a listener hold, in total and by source. @module */

/** The resources of one source, or of all together. */
export interface Held {
  connections: number
  requests: number
  bodyBytes: number
  /** Incomplete bodies. */
  readonly bodies: Set<Body>
  /** Connections without a request. Each set is in the order of entry. */
  readonly spare: Readonly<Record<SpareKind, Set<Endable>>>
}

/** Why a connection is spare, in the order in which spare connections are ended. */
export const spares = ['refused', 'handshaking', 'new', 'idle'] as const
export type SpareKind = (typeof spares)[number]

export interface Body {
  /** Milliseconds of the admission's clock. */
  readonly since: number
  readonly bytes: number
  readonly connection: Endable
  /** Takes its slot away. */
  readonly give: (reason: DropReason) => void
}

/** Why a body is dropped: its memory is needed, or it arrives below the minimum rate. */
export type DropReason = 'dropped' | 'too slow'

export interface Endable {
  readonly end: () => void
}

export interface Ledger {
  readonly total: Held
  readonly of: (source: string) => Held
  /** Forgets a source that holds nothing. Call it after each release. */
  readonly forgetUnused: (source: string) => void
}

export function createLedger(): Ledger {
  // At most one entry for each connection and request.
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
  const spare = {
    refused: new Set<Endable>(),
    handshaking: new Set<Endable>(),
    new: new Set<Endable>(),
    idle: new Set<Endable>(),
  }
  return { connections: 0, requests: 0, bodyBytes: 0, bodies: new Set(), spare }
}

/** Bytes credited to every body at its start, so that a new body does not count as slow. */
const headStartBytes = 4096

/** The body with the lowest rate. It is linear in the bodies, so each caller ends a request with it. */
export function slowestOf({ bodies }: Held, now: number): Body | undefined {
  let slowest: Body | undefined
  let least = Infinity
  for (const body of bodies) {
    const rate = (body.bytes + headStartBytes) / Math.max(1, now - body.since)
    if (rate < least) {
      slowest = body
      least = rate
    }
  }
  return slowest
}
