/** RetireNode — `trent node retire`: gives a lost node up, which was not drained. @module */
import { required, text } from '../../model/shape.ts'
import type { ShownNode } from '../contract/node-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const retireNode = trentOperation<ShownNode>()({
  name: 'RetireNode',
  door: 'operator',
  input: { nodeId: required(text({ min: 16, max: 16, pattern: '^[0-9a-f]+$' })) },
  permissions: () => [{ action: 'trent:RetireNode' }],
  readOnly: false,
  audit: ['nodeId'],
  // What is lost begins at these positions, or before.
  auditResponse: ({ nodeId, name, lastConfirmed, positions }) => ({
    nodeId,
    name,
    lastConfirmed,
    positions,
  }),
  throws: ['NotFoundException', 'ValidationException', 'AccessDeniedException'],
  run: ({ input: { nodeId } }, { server }) => server.nodes.retire(nodeId),
})
