/** ListNodes — `trent node list`: the nodes of the deployment, those that were retired too. @module */
import type { ShownNode } from '../contract/node-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const listNodes = trentOperation<{ readonly nodes: readonly ShownNode[] }>()({
  name: 'ListNodes',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:ListNodes' }],
  readOnly: true,
  audit: [],
  throws: ['ValidationException', 'AccessDeniedException'],
  run: async (_call, { server }) => ({ nodes: await server.nodes.list() }),
})
