/** BeginBackup — `trent backup`: begins a backup, which ReadBackup reads in parts. @module */
import type { BegunBackup } from '../contract/backup-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const beginBackup = trentOperation<BegunBackup>()({
  name: 'BeginBackup',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:TakeBackup' }],
  readOnly: true,
  audit: [],
  auditResponse: ({ id, change, rows }) => ({ id, change, rows }),
  throws: ['AccessDeniedException', 'ConflictException'],
  run: (_call, { server }) => server.backup.begin(),
})
