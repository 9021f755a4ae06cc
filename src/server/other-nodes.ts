/** The other nodes of the deployment, and what they know of root keys. @module */
import { isRetired, type NodeRecord } from '../model/node.ts'
import type { Store } from '../store/store.ts'

/** Another node that may serve. */
export type OtherNode = Pick<
  NodeRecord,
  'nodeId' | 'name' | 'state' | 'oldestKey' | 'knownKey' | 'currentKey'
>

/** Perhaps a node that is under another root key. */
const unprovedNode: OtherNode = {
  nodeId: 'its row is not proved',
  name: 'a node',
  state: 'serving',
  oldestKey: 0,
  knownKey: 0,
  currentKey: 0,
}

/** The other nodes that may serve. */
export function othersIn(
  nodes: readonly NodeRecord[],
  own: string | undefined,
): readonly NodeRecord[] {
  return nodes.filter(({ nodeId, state }) => nodeId !== own && !isRetired(state))
}

/**
 * Reads the rows of the other nodes. A row that is not proved counts as a node that knows nothing.
 * @param own this node; undefined if only one can use the database
 */
export async function readOthers(
  store: Pick<Store, 'listNodes' | 'countNodes'>,
  own: string | undefined,
): Promise<readonly OtherNode[]> {
  if (own === undefined) return []
  const proved = othersIn(await store.listNodes(), own)
  const isUnproved = (await store.countNodes()) > proved.length + 1
  return isUnproved ? [...proved, unprovedNode] : proved
}

/** The nodes that do not know a domain key yet, for people. */
export function behind(others: readonly OtherNode[], version: number): readonly string[] {
  return others
    .filter(({ knownKey }) => knownKey < version)
    .map(({ name, nodeId }) => `${name} (${nodeId})`)
}
