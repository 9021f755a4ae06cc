/** The rows of nodes. They are no numbered changes: a node confirms too often for that. @module */
import { isRetired, type NodeRecord } from '../../model/node.ts'
import { StaleRow } from '../row-errors.ts'
import type { RowScope } from '../row-scope.ts'
import { nodes } from '../schema/nodes.ts'
import type { Row } from '../schema/schema.ts'
import { insertRecords, tableReads } from './table-rows.ts'

export interface NodeStore {
  /** Ordered by id. */
  listNodes(): Promise<readonly NodeRecord[]>
  /**
   * Counts the nodes that may serve, also those that have another root key: their tags are not valid here.
   */
  countNodes(): Promise<number>
  findNode(nodeId: string): Promise<NodeRecord | undefined>
  /** @throws {DuplicateRow} */
  insertNode(node: NodeRecord): Promise<void>
  /**
   * Changes a node's row, and answers the row as it is then. A node that is retired here has no change that
   * commits later.
   * @throws {StaleRow} if something else than a confirmation has changed it
   */
  changeNode(
    node: NodeRecord,
    changes: Partial<Pick<NodeRecord, 'name' | 'state'>>,
  ): Promise<NodeRecord>
  /** The row of a node as it is stored, with its tag. */
  sealNode(node: NodeRecord): Row<'nodes'>
}

/** @param inOne runs its argument in one transaction, under the lock that changes have */
export function nodeStore(
  scope: RowScope,
  inOne: <T>(work: (one: RowScope) => Promise<T>) => Promise<T>,
): NodeStore {
  const { query, rows } = scope
  const reads = tableReads(nodes, scope)
  const sealNode: NodeStore['sealNode'] = (node) => rows.seal(nodes, nodes.toRow(node))
  return {
    async listNodes() {
      const found = await query.selectFrom('nodes').selectAll().orderBy('node_id').execute()
      return reads.acceptAll(found) as readonly NodeRecord[] // states are this version's or later
    },
    async countNodes() {
      const found = await query.selectFrom('nodes').select('state').execute()
      return found.filter(({ state }) => !isRetired(state)).length
    },
    findNode: async (nodeId) => (await reads.find({ nodeId })) as NodeRecord | undefined,
    insertNode: (node) => insertRecords(nodes, scope, [node]),
    changeNode: (node, changes) => inOne((one) => changeNode(one, node, changes)),
    sealNode,
  }
}

async function changeNode(
  scope: RowScope,
  node: NodeRecord,
  changes: Partial<NodeRecord>,
): Promise<NodeRecord> {
  const { query, rows } = scope
  const known = await tableReads(nodes, scope).find({ nodeId: node.nodeId })
  if (known?.rowVersion !== node.rowVersion) throw stale(node)
  const next = { ...known, ...changes, rowVersion: known.rowVersion + 1 } as NodeRecord
  const { numUpdatedRows } = await query
    .updateTable('nodes')
    .set(rows.seal(nodes, nodes.toRow(next)))
    .where('node_id', '=', node.nodeId)
    .where('row_version', '=', node.rowVersion)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw stale(node)
  return next
}

function stale({ nodeId }: NodeRecord): StaleRow {
  return new StaleRow(`the row of node ${nodeId} has changed`)
}
