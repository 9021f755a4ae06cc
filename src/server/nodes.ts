/** What operators see of the nodes of a deployment, and how they take one out of it. @module */
import type { Delivery } from '../audit/delivery/delivery.ts'
import { KmsError } from '../errors.ts'
import { isRetired, silentMsMax, type NodeRecord } from '../model/node.ts'
import type { NodeControls, ShownNode } from '../operations/contract/node-controls.ts'
import { StaleRow, type Store } from '../store/store.ts'
import type { RunningNode } from './node.ts'
import { othersIn } from './other-nodes.ts'

/** A drain that an operator has begun. */
export interface Draining {
  isAsked: boolean
  /** Everything is delivered: the node can be retired once its journal is closed. */
  isComplete: boolean
}

/** What a caller of the operator door waits for. The rest is delivered when nothing is served any more. */
const firstDrainMs = 20_000
const lastDrainMs = 60_000

export function nodeControls(of: {
  readonly node: RunningNode | undefined
  readonly store: Pick<Store, 'listNodes' | 'changeNode'>
  readonly delivery: Pick<Delivery, 'drain'>
  readonly draining: Draining
  /** Ends the process. */
  readonly end: () => void
}): NodeControls {
  const { store, delivery, draining, end } = of
  const present = (): RunningNode => {
    if (of.node !== undefined) return of.node
    throw refused('an embedded database has one node only: several need TRENT_DATABASE_URL')
  }
  return {
    list: async () => (await store.listNodes()).map((each) => shown(each, present())),
    async drain({ last }) {
      const node = present()
      const others = othersIn(await store.listNodes(), node.nodeId)
      const serves = others.some((each) => isServing(each, node))
      if (!serves && !last) {
        throw refused('no other node serves calls: `--last` drains this one nevertheless')
      }
      await node.enter('draining')
      const waiting = await delivery.drain(firstDrainMs).catch(async (error: unknown) => {
        await node.enter('serving')
        throw error
      })
      if (waiting !== undefined && waiting > 0) {
        await node.enter('serving')
        throw refused(
          `${waiting} files are not delivered: the node goes on. \`trent status\` and its log say why`,
        )
      }
      draining.isAsked = true
      const found = (await store.listNodes()).find(({ nodeId }) => nodeId === node.nodeId)
      if (found === undefined) throw new Error('the row of this node is gone')
      end()
      return { ...shown(found, node), delivers: waiting !== undefined }
    },
    async retire(nodeId) {
      const node = present()
      const found = (await store.listNodes()).find((each) => each.nodeId === nodeId)
      if (found === undefined) {
        throw new KmsError('NotFoundException', `there is no node ${nodeId}: \`trent node list\``)
      }
      if (isRetired(found.state)) throw refused(`the node ${nodeId} is ${found.state} already`)
      if (nodeId === node.nodeId || silentMs(found, node) < silentMsMax) {
        throw refused(`the node ${nodeId} is running: \`trent node drain\` on its machine`)
      }
      const retired = await store.changeNode(found, { state: 'gone' }).catch((error: unknown) => {
        throw error instanceof StaleRow ? refused(`the node ${nodeId} has just changed`) : error
      })
      return shown(retired, node)
    },
  }
}

/** Delivers what the journal holds once nothing is served any more. */
export async function deliverRest(
  draining: Draining,
  delivery: Pick<Delivery, 'drain'>,
): Promise<void> {
  if (!draining.isAsked) return
  const waiting = (await delivery.drain(lastDrainMs)) ?? 0
  draining.isComplete = waiting === 0
}

/** Ends a drain, when nothing but the row of the node is left to write. */
export async function retireDrained(
  draining: Draining,
  node: RunningNode | undefined,
  store: Pick<Store, 'countUndelivered'>,
): Promise<void> {
  if (!draining.isAsked || node === undefined) return
  // A digest may have been made at a full hour, after the last file was delivered.
  if (!draining.isComplete || (await store.countUndelivered()) > 0) {
    await node.enter('serving')
    throw new Error('not everything is delivered: start this node, and drain it again')
  }
  await node.enter('drained')
}

function isServing(each: NodeRecord, node: RunningNode): boolean {
  return each.state === 'serving' && silentMs(each, node) < silentMsMax
}

/** Milliseconds since a node confirmed, on the database's clock. */
export function silentMs(
  { confirmedAt, clockOffset }: NodeRecord,
  node: Pick<RunningNode, 'databaseTime'>,
): number {
  return Math.max(0, node.databaseTime() - (confirmedAt - clockOffset))
}

function shown(each: NodeRecord, node: RunningNode): ShownNode {
  const { nodeId, name, state, firstSeen, confirmedAt, clockOffset, appliedSeq, positions } = each
  return {
    nodeId,
    name,
    state,
    self: nodeId === node.nodeId,
    firstSeen: new Date(firstSeen).toISOString(),
    lastConfirmed: new Date(confirmedAt).toISOString(),
    silentSeconds: Math.round(silentMs(each, node) / 1000),
    clockOffset,
    change: appliedSeq,
    positions,
  }
}

function refused(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
