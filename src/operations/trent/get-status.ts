/**
 * GetStatus — what `trent status` prints: whether the server is ready, and where its journal
 * stands.
 * @module
 */
import { insiderOperation } from './insider-operation.ts'
import type { ServerStatus } from '../contract/server-controls.ts'

export const getStatus = insiderOperation<ServerStatus>()({
  name: 'GetStatus',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:GetStatus' }],
  readOnly: true,
  audit: [],
  throws: ['AccessDeniedException'],
  run: (_call, { server }) => server.status(),
})
