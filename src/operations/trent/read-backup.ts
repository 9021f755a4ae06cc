/** ReadBackup — `trent backup`: returns the next part of a backup. @module */
import { integer, required, text } from '../../model/shape.ts'
import type { ReadBackupPart } from '../contract/backup-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const readBackup = trentOperation<ReadBackupPart>()({
  name: 'ReadBackup',
  door: 'operator',
  input: {
    id: required(text({ min: 36, max: 36 })),
    part: required(integer({ min: 1 })),
  },
  permissions: () => [{ action: 'trent:TakeBackup' }],
  readOnly: true,
  audit: ['id', 'part'],
  auditResponse: ({ rows, isLast }) => ({ rows, isLast }),
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  run: ({ input: { id, part } }, { server }) => server.backup.read(id, part),
})
