/**
 * RetireRootKeys — `trent rotate-root --retire`: ends the former root keys once nothing is under them.
 * @module
 */
import { boolean } from '../../model/shape.ts'
import type { RetiredRoots } from '../contract/seal-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const retireRootKeys = trentOperation<RetiredRoots>()({
  name: 'RetireRootKeys',
  door: 'operator',
  input: { endSessions: boolean() },
  permissions: () => [{ action: 'trent:RetireRootKeys' }],
  readOnly: false,
  audit: ['endSessions'],
  auditResponse: ({ generation, retired }) => ({ generation, retired }),
  throws: ['ValidationException', 'AccessDeniedException'],
  run: ({ input: { endSessions = false } }, { server }) => server.seal.retire({ endSessions }),
})
