/**
 * GetStatus — `trent status`: returns whether the server is ready, and the state of its journal.
 * @module
 */
import { trentOperation } from './trent-operation.ts'
import type { ServerStatus } from '../contract/server-controls.ts'

export const getStatus = trentOperation<ServerStatus>()({
  name: 'GetStatus',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:GetStatus' }],
  readOnly: true,
  audit: [],
  throws: ['AccessDeniedException'],
  run: (_call, { server }) => server.status(),
})
