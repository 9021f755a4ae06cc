/**
 * One of several nodes of a deployment: it puts its row into the database, and confirms again and again that
 * it knows the latest changes (`docs/adr/0038-several-nodes.md`).
 * @module
 */
import type { Logger } from 'pino'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataRefused } from './found-data.ts'
import type { Clock } from '../model/clock.ts'
import type { JournalPosition, NodeRecord } from '../model/node.ts'
import type { Database } from '../store/database.ts'
import { ageMs } from '../store/freshness.ts'
import { RowGone, type Following } from '../store/postgres/following.ts'
import { systemMoment } from '../store/postgres/moment.ts'
import type { Replication } from '../store/postgres/shared-head.ts'
import type { Store } from '../store/store.ts'

export interface RunningNode {
  /** Why it must not decide calls, for operators; undefined if it may. */
  readonly refusal: () => string | undefined
  readonly replication: () => Replication
  /** Milliseconds since the last confirmation was sent; undefined before the first one. */
  readonly ageMs: () => number | undefined
  readonly close: () => Promise<void>
}

interface NodeDependencies {
  readonly store: Store
  readonly following: Following
  readonly nodeId: string
  readonly name: string
  readonly deploymentId: string
  /** Whether a new root key is being made, or an older one is still in use. */
  readonly isRotating: () => Promise<boolean>
  readonly alone: Database['alone']
  /** Whether the root key was replaced since this node opened it. */
  readonly isReplaced: () => Promise<boolean>
  readonly clock: Pick<Clock, 'system'>
  readonly freshnessMs: number
  /** The durable ends of the node's streams. */
  readonly positions: () => Promise<readonly JournalPosition[]>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** The node was retired by an operator: the process must end. */
  readonly onFatal: (error: Error) => void
}

/** The most time between two confirmations, in milliseconds. */
const periodMsMax = 1000
/** A bound is worth several attempts. */
const attemptsInBound = 5

/** @throws {DataRefused} if an operator has retired the node */
export async function joinNodes(of: NodeDependencies): Promise<RunningNode> {
  const { store, following, freshnessMs, log, onFatal } = of
  const node = new Confirmations(of, await of.alone(() => join(of)))
  const closing = new AbortController()
  const { signal } = closing
  const periodMs = Math.min(periodMsMax, freshnessMs / attemptsInBound)
  await node.confirm()
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(periodMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await node.confirm()
    }
  }
  const kept = keep().catch(onFatal)
  log.info({ node: of.nodeId, replication: following.replication() }, 'this node has joined')
  return {
    refusal() {
      const why = store.freshness.refusal()
      return why === undefined || node.failure === undefined ? why : `${why} (${node.failure})`
    },
    replication: following.replication,
    ageMs() {
      const moment = store.freshness.moment()
      return moment && ageMs(moment, systemMoment())
    },
    async close() {
      closing.abort()
      await kept
    },
  }
}

class Confirmations {
  failure: string | undefined
  readonly #of: NodeDependencies
  #node: NodeRecord

  constructor(of: NodeDependencies, node: NodeRecord) {
    this.#of = of
    this.#node = node
  }

  /** Rejects if the node was retired. */
  async confirm(): Promise<void> {
    const { store, following, clock, positions, log } = this.#of
    try {
      const reached = await positions()
      await following.confirm(({ seq, changeId }) =>
        store.sealNode({
          ...this.#node,
          confirmedAt: clock.system(),
          appliedSeq: seq,
          appliedId: changeId,
          positions: reached,
        }),
      )
      this.failure = undefined
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error)
      // Each reason once: this is tried every second.
      if (failure !== this.failure) log.warn({ reason: failure }, 'this node could not confirm')
      this.failure = failure
      if (error instanceof RowGone) await this.#readAgain()
    }
  }

  async #readAgain(): Promise<void> {
    try {
      const found = await this.#of.store.findNode(this.#node.nodeId)
      this.#node =
        found === undefined ? await this.#of.alone(() => join(this.#of)) : requireServing(found)
    } catch (error) {
      // The database may be away: the next confirmation tries again.
      if (error instanceof DataRefused) throw error
    }
  }
}

/** No root key is replaced meanwhile, nor later while there is a second node. */
async function join(of: NodeDependencies): Promise<NodeRecord> {
  if (await of.isReplaced()) {
    throw new DataRefused('the root key was replaced while this node opened it: start it again')
  }
  return register(of)
}

async function register(of: NodeDependencies): Promise<NodeRecord> {
  const { store, nodeId, name, deploymentId, clock } = of
  const known = await store.findNode(nodeId)
  if (known !== undefined) {
    requireServing(known)
    return known.name === name ? known : await store.changeNode(known, { name })
  }
  // Nodes do not tell each other yet which root keys they know. The first one may go on by itself.
  if ((await store.countNodes()) > 0 && (await of.isRotating())) {
    throw new DataRefused(
      'the root key is being replaced: a node can join after `trent rotate-root --retire`',
    )
  }
  const now = clock.system()
  const node: NodeRecord = {
    nodeId,
    name,
    deploymentId,
    state: 'serving',
    firstSeen: now,
    confirmedAt: now,
    appliedSeq: 0,
    appliedId: '0'.repeat(16),
    positions: [],
    rowVersion: 1,
  }
  await store.insertNode(node)
  return node
}

function requireServing(node: NodeRecord): NodeRecord {
  if (node.state !== 'drained' && node.state !== 'gone') return node
  throw new DataRefused(
    `the node ${node.nodeId} was retired (${node.state}): start it with an empty data directory`,
  )
}
