/** The table of nodes. @module */
import type { NodeRecord } from '../../model/node.ts'
import { json, number, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

/** A confirmation does not raise the version: everything else that changes a row does. */
export const nodes = tableOf<Omit<NodeRecord, 'state'> & { readonly state: string }>()({
  name: 'nodes',
  columns: {
    node_id: text('nodeId'),
    name: text('name'),
    deployment_id: text('deploymentId'),
    state: text('state'),
    first_seen: number('firstSeen'),
    confirmed_at: number('confirmedAt'),
    reached_at: number('reachedAt'),
    clock_offset: number('clockOffset'),
    applied_seq: number('appliedSeq'),
    applied_id: text('appliedId'),
    oldest_key: number('oldestKey'),
    known_key: number('knownKey'),
    current_key: number('currentKey'),
    positions: json('positions'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['node_id'],
})
