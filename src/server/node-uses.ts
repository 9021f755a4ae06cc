/**
 * Last uses of a key that other nodes have noted and not saved yet. Before a policy decides by the days since
 * the last use, the node asks the others to save theirs. So a use on one node counts at once for a deletion
 * that is asked of another.
 *
 * INVARIANT (fail closed): a node that does not answer may have used the key for as long as it may have
 * served.
 * @module
 */
import { latestOf } from '../lifecycle/latest-notes.ts'
import type { Random } from '../model/clock.ts'
import type { NotedUsage } from '../model/last-usage.ts'
import type { Following } from '../store/postgres/following.ts'
import type { Store } from '../store/store.ts'
import type { RunningNode } from './node.ts'
import { othersIn } from './other-nodes.ts'

export interface NodeUses {
  /**
   * Resolves when the other nodes have saved their uses of a key. Answers until when a node may have used it
   * that did not answer; milliseconds since the epoch, undefined if all have.
   * @param name `account/Region/key id`
   */
  readonly settle: (name: string) => Promise<number | undefined>
}

/** There is no other node. */
export const noOtherNodes: NodeUses = { settle: () => Promise.resolve(undefined) }

const channel = 'trent_uses'
/** The most time that a call waits for the other nodes. */
const answerMaxMs = 2000

export function nodeUses(of: {
  readonly following: Following
  readonly node: RunningNode
  readonly store: Pick<Store, 'listNodes' | 'saveLastUsages'>
  /** Uses that no thread of this node has saved yet. */
  readonly noted: (name: string) => Promise<readonly NotedUsage[]>
  readonly freshnessMs: number
  readonly random: Random
  readonly now: () => number
}): NodeUses {
  const { following, node, store, noted, freshnessMs, random, now } = of
  const waiting = new Map<string, (nodeId: string) => void>()
  const answer = async (question: string, name: string): Promise<void> => {
    const latest = latestOf(await noted(name))
    if (latest !== undefined) await store.saveLastUsages([latest])
    await following.tell(channel, `saved ${question} ${node.nodeId}`)
  }
  following.hear(channel, (payload) => {
    const [kind, question = '', nodeId = '', name = ''] = payload.split(' ')
    if (kind === 'saved') waiting.get(question)?.(nodeId)
    // Who gets no answer assumes the worst.
    else if (nodeId !== node.nodeId) answer(question, name).catch(() => undefined)
  })
  return {
    async settle(name) {
      const others = othersIn(await store.listNodes(), node.nodeId)
      // One that has not confirmed within the bound serves nothing, and may have uses that it could not save.
      const servedUntil = others.map(({ nodeId, confirmedAt, clockOffset }) => ({
        nodeId,
        until: confirmedAt - clockOffset + freshnessMs,
      }))
      const databaseTime = node.databaseTime()
      const silent = servedUntil.filter(({ until }) => until < databaseTime)
      const asked = new Set(
        servedUntil.filter(({ until }) => until >= databaseTime).map(({ nodeId }) => nodeId),
      )
      const isAnswered = asked.size === 0 || (await ask(name, asked))
      const ends = silent.map(({ until }) => until + (now() - databaseTime))
      if (!isAnswered) ends.push(now())
      return ends.length === 0 ? undefined : Math.max(...ends)
    },
  }

  /** Whether all of them have answered in time. */
  async function ask(name: string, left: Set<string>): Promise<boolean> {
    const question = Buffer.from(random.bytes(8)).toString('hex')
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(false), answerMaxMs)
    waiting.set(question, (nodeId) => {
      left.delete(nodeId)
      if (left.size === 0) resolve(true)
    })
    try {
      await following.tell(channel, `ask ${question} ${node.nodeId} ${name}`)
      return await promise
    } catch {
      return false
    } finally {
      clearTimeout(timer)
      waiting.delete(question)
    }
  }
}
