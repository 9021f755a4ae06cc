/** Nodes: processes that serve one deployment from one database, each with its own data directory. @module */

/**
 * - `serving`: it serves calls, or will after its next start.
 * - `draining`: it ends, and delivers what its journal holds. Its next start serves again.
 * - `drained`: everything is delivered, and it is refused if it comes back.
 * - `gone`: an operator gave it up undrained, and it is refused if it comes back.
 */
export type NodeState = 'serving' | 'draining' | 'drained' | 'gone'

/** A node that did not confirm for this long, in milliseconds, does not serve. */
export const silentMsMax = 60_000

/** Whether the node must never serve again. */
export function isRetired(state: string): boolean {
  return state === 'drained' || state === 'gone'
}

export interface JournalPosition {
  readonly stream: string
  readonly segment: number
  readonly offset: number
}

export interface NodeRecord {
  /** 16 lower-case hex digits, kept in the data directory. */
  readonly nodeId: string
  /** For people; names need not differ. */
  readonly name: string
  /** With the row's tag, it proves that the node opened the root key of this deployment. */
  readonly deploymentId: string
  readonly state: NodeState
  /** Milliseconds since the epoch, on the node's clock. */
  readonly firstSeen: number
  readonly confirmedAt: number
  /** The time by which it decides, at its last confirmation. It is never behind `confirmedAt`. */
  readonly reachedAt: number
  /** Milliseconds by which its clock was ahead of the database's at the confirmation before. */
  readonly clockOffset: number
  /** The last change that the node has taken in, and its id. */
  readonly appliedSeq: number
  readonly appliedId: string
  /**
   * Versions of domain keys: the oldest and the latest that the node opens, and the one that protects
   * what it writes.
   */
  readonly oldestKey: number
  readonly knownKey: number
  readonly currentKey: number
  /** The durable ends of its streams at the last confirmation. */
  readonly positions: readonly JournalPosition[]
  readonly rowVersion: number
}

const nodeIdForm = /^[\da-f]{16}$/

export function isNodeId(text: string): boolean {
  return nodeIdForm.test(text)
}

/** The node whose name a stream carries; undefined for a stream of an embedded database. */
export function nodeOfStream(stream: string): string | undefined {
  return /^([\da-f]{16})-worker-\d+$/.exec(stream)?.[1]
}

/**
 * The stream of a worker in the audit journal. The only node of an embedded database needs no name there.
 * @param worker from 0
 */
export function streamOf(worker: number, nodeId: string | undefined): string {
  return nodeId === undefined ? `worker-${worker}` : `${nodeId}-worker-${worker}`
}
