/**
 * One of several nodes of a deployment: it puts its row into the database, and confirms again and again that
 * it knows the latest changes (`docs/adr/0038-several-nodes.md`).
 * @module
 */
import type { Logger } from 'pino'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataRefused } from './found-data.ts'
import type { Applied } from './applied.ts'
import type { RecordedChange } from '../model/change-number.ts'
import type { TurningKeyring } from '../crypto/domain-keys.ts'
import type { MovableClock } from '../jobs/clock.ts'
import { differenceOf, isBelievable, offsetOf, type ClockOffset } from '../jobs/clocks.ts'
import {
  isRetired,
  silentMsMax,
  type JournalPosition,
  type NodeRecord,
  type NodeState,
} from '../model/node.ts'
import type { Database } from '../store/database.ts'
import { ageMs } from '../store/freshness.ts'
import { RowGone, type Following } from '../store/postgres/following.ts'
import { systemMoment } from '../store/postgres/moment.ts'
import type { Replication } from '../store/postgres/shared-head.ts'
import type { Store } from '../store/store.ts'
import { othersIn, readOthers } from './other-nodes.ts'

export interface RunningNode {
  readonly nodeId: string
  /** Why it must not decide calls, for operators; undefined if it may. */
  readonly refusal: () => string | undefined
  readonly replication: () => Replication
  /** Milliseconds since the last confirmation was sent; undefined before the first one. */
  readonly ageMs: () => number | undefined
  readonly isDraining: () => boolean
  /** All nodes as of the last confirmation. */
  readonly nodes: () => readonly NodeRecord[]
  /** Calls it with all nodes after each confirmation. */
  readonly follow: (seen: (nodes: readonly NodeRecord[]) => void) => void
  /** Milliseconds since the epoch, on the database's clock. */
  readonly databaseTime: () => number
  /** How far this node's clock is ahead of the database's; undefined before the first confirmation. */
  readonly clockOffset: () => ClockOffset | undefined
  /** Why the clock of this node cannot be believed; undefined if it can. */
  readonly clockDiffers: () => string | undefined
  readonly enter: (state: NodeState) => Promise<void>
  /** The journal is open: `onRetired` may be called from now on. */
  readonly begin: () => void
  /** Confirms no more. `enter` still works. */
  readonly close: () => Promise<void>
}

interface NodeDependencies {
  readonly store: Store
  readonly following: Following
  readonly nodeId: string
  readonly name: string
  readonly deploymentId: string
  readonly keyring: TurningKeyring
  readonly alone: Database['alone']
  /** Whether the root key was replaced since this node opened it. */
  readonly isReplaced: () => Promise<boolean>
  readonly clock: MovableClock
  readonly freshnessMs: number
  /** Keeps the last change that the node has taken in. */
  readonly remember: (applied: Applied) => Promise<void>
  /** The durable ends of the node's streams. */
  readonly positions: () => Promise<readonly JournalPosition[]>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Called when another node was retired, and after the start if some were. */
  readonly onRetired: () => void
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
  const node = new Confirmations(
    of,
    await of.alone(async () => {
      await holdForOthers(of)
      return join(of)
    }),
  )
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
    nodeId: of.nodeId,
    refusal() {
      const why = store.freshness.refusal()
      return why === undefined || node.failure === undefined ? why : `${why} (${node.failure})`
    },
    replication: following.replication,
    ageMs() {
      const moment = store.freshness.moment()
      return moment && ageMs(moment, systemMoment())
    },
    isDraining: () => node.state === 'draining',
    nodes: () => node.nodes,
    follow(seen) {
      node.seen = seen
    },
    databaseTime: () => of.clock.system() - (node.offset?.ms ?? 0),
    clockOffset: () => node.offset,
    clockDiffers: () => node.clockDiffers,
    enter: (state) => node.enter(state),
    begin: () => node.begin(),
    async close() {
      closing.abort()
      await kept
    },
  }
}

class Confirmations {
  failure: string | undefined
  nodes: readonly NodeRecord[] = []
  seen: ((nodes: readonly NodeRecord[]) => void) | undefined
  offset: ClockOffset | undefined
  clockDiffers: string | undefined
  readonly #of: NodeDependencies
  #node: NodeRecord
  #remembered = ''
  #begun = false

  constructor(of: NodeDependencies, node: NodeRecord) {
    this.#of = of
    this.#node = node
  }

  get state(): NodeState {
    return this.#node.state
  }

  /** A node that was retired since the start looked is looked for once more. */
  begin(): void {
    this.#begun = true
    if (this.nodes.some(({ state }) => isRetired(state))) this.#of.onRetired()
  }

  async enter(state: NodeState): Promise<void> {
    this.#node = await this.#of.store.changeNode(this.#node, { state })
  }

  /** Rejects if the node was retired. */
  async confirm(): Promise<void> {
    const { store, following, clock, positions, log } = this.#of
    try {
      const reached = await positions()
      const before = clock.system()
      let applied: RecordedChange | undefined
      const { databaseTime } = await following.confirm(({ seq, changeId }) => {
        applied = { seq, changeId }
        return store.sealNode({
          ...this.#node,
          confirmedAt: clock.system(),
          reachedAt: clock.reached(),
          clockOffset: this.offset?.ms ?? 0,
          appliedSeq: seq,
          appliedId: changeId,
          positions: reached,
          ...keysOf(this.#of.keyring),
        })
      })
      this.failure = undefined
      this.offset = offsetOf(before, databaseTime, clock.system())
      this.#see(await store.listNodes(), databaseTime)
      if (applied !== undefined) await this.#remember(applied)
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error)
      // Each reason once: this is tried every second.
      if (failure !== this.failure) log.warn({ reason: failure }, 'this node could not confirm')
      this.failure = failure
      if (error instanceof RowGone) await this.#readAgain()
    }
  }

  /** The database had this change at the confirmation, and the node decides by it. */
  async #remember(applied: RecordedChange): Promise<void> {
    if (applied.seq === 0 || applied.changeId === this.#remembered) return
    await this.#of.remember({ ...applied, deploymentId: this.#of.deploymentId })
    this.#remembered = applied.changeId
  }

  /** Compares clocks, and goes on from the latest time by which a node decides. */
  #see(nodes: readonly NodeRecord[], databaseTime: number): void {
    const { clock, onRetired } = this.#of
    const retired = (all: readonly NodeRecord[]): number =>
      all.filter(({ state }) => isRetired(state)).length
    if (this.#begun && retired(nodes) > retired(this.nodes)) onRetired()
    this.nodes = nodes
    const others = othersIn(nodes, this.#node.nodeId).filter(
      ({ confirmedAt, clockOffset }) => databaseTime - (confirmedAt - clockOffset) < silentMsMax,
    )
    const offsets = others.map(({ clockOffset }) => clockOffset)
    this.clockDiffers = this.offset && differenceOf(this.offset, offsets)
    clock.differ(this.clockDiffers)
    for (const { reachedAt } of others) {
      if (isBelievable(reachedAt, databaseTime)) clock.raise(reachedAt)
    }
    this.seen?.(nodes)
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

/** No root key is replaced meanwhile. A node that comes later knows the latest one from its start on. */
async function join(of: NodeDependencies): Promise<NodeRecord> {
  if (await of.isReplaced()) {
    throw new DataRefused('the root key was replaced while this node opened it: start it again')
  }
  return register(of)
}

/** INVARIANT (all know it first): a node writes nothing under a domain key that another does not open. */
async function holdForOthers({ store, nodeId, keyring }: NodeDependencies): Promise<void> {
  const { oldestVersion, knownVersion } = keyring
  if (oldestVersion === knownVersion) return
  const others = await readOthers(store, nodeId)
  const known = Math.min(...others.map(({ knownKey }) => knownKey))
  if (known < knownVersion) keyring.hold(Math.max(known, oldestVersion))
}

function keysOf({
  oldestVersion: oldestKey,
  knownVersion: knownKey,
  newestVersion: currentKey,
}: TurningKeyring): Pick<NodeRecord, 'oldestKey' | 'knownKey' | 'currentKey'> {
  return { oldestKey, knownKey, currentKey }
}

async function register(of: NodeDependencies): Promise<NodeRecord> {
  const { store, nodeId, name, deploymentId, clock } = of
  const known = await store.findNode(nodeId)
  if (known !== undefined) {
    requireServing(known)
    if (known.name === name && known.state === 'serving') return known
    // A drain that did not come to its end is over.
    return await store.changeNode(known, { name, state: 'serving' })
  }
  const now = clock.system()
  const node: NodeRecord = {
    nodeId,
    name,
    deploymentId,
    state: 'serving',
    firstSeen: now,
    confirmedAt: now,
    reachedAt: now,
    clockOffset: 0,
    appliedSeq: 0,
    appliedId: '0'.repeat(16),
    positions: [],
    ...keysOf(of.keyring),
    rowVersion: 1,
  }
  await store.insertNode(node)
  return node
}

function requireServing(node: NodeRecord): NodeRecord {
  requireNotRetired(node.nodeId, node.state)
  return node
}

/** @throws {DataRefused} */
export function requireNotRetired(nodeId: string, state: string | undefined): void {
  if (state === undefined || !isRetired(state)) return
  const how = state === 'drained' ? 'drained' : 'given up as lost'
  throw new DataRefused(
    `this node (${nodeId}) was ${how} and serves no more: start with an empty data directory`,
  )
}
