/** Controls of the nodes of a deployment, for operators. @module */
import type { JournalPosition, NodeState } from '../../model/node.ts'

export interface NodeControls {
  list(): Promise<readonly ShownNode[]>
  /**
   * Begins to drain the node that is asked: it delivers what it can, and its process ends. Then it delivers
   * the rest and is retired.
   * @throws {KmsError} `ValidationException` if nothing would serve, or if it cannot deliver
   */
  drain(options: { readonly last: boolean }): Promise<ShownNode & Pick<DrainedNode, 'delivers'>>
  /**
   * Gives a lost node up. The records that only its journal holds are lost.
   * @throws {KmsError} `NotFoundException`, `ValidationException` if it may be running
   */
  retire(nodeId: string): Promise<ShownNode>
}

export interface DrainedNode {
  /** False if nothing is delivered anywhere: then its journal has the only copy of its records. */
  readonly delivers: boolean
}

export interface ShownNode {
  readonly nodeId: string
  /** Of the machine. */
  readonly name: string
  readonly state: NodeState
  /** The node that answers. */
  readonly self: boolean
  /** ISO 8601, UTC. */
  readonly firstSeen: string
  /** ISO 8601, UTC, on the node's clock. */
  readonly lastConfirmed: string
  /** Seconds since then, on the database's clock. */
  readonly silentSeconds: number
  /** Milliseconds by which the node's clock is ahead of the database's. */
  readonly clockOffset: number
  /** The number of the last change that it had taken in. */
  readonly change: number
  /** The last committed position of its journal: the ends of its streams when it last confirmed. */
  readonly positions: readonly JournalPosition[]
}
