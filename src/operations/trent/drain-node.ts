/**
 * DrainNode — `trent node drain`: the node that is asked delivers everything, ends and is retired.
 * @module
 */
import { boolean } from '../../model/shape.ts'
import type { DrainedNode, ShownNode } from '../contract/node-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const drainNode = trentOperation<ShownNode & DrainedNode>()({
  name: 'DrainNode',
  door: 'operator',
  input: { last: boolean() },
  permissions: () => [{ action: 'trent:DrainNode' }],
  readOnly: false,
  audit: ['last'],
  auditResponse: ({ nodeId, name, delivers }) => ({ nodeId, name, delivers }),
  throws: ['ValidationException', 'AccessDeniedException'],
  run: ({ input: { last = false } }, { server }) => server.nodes.drain({ last }),
})
