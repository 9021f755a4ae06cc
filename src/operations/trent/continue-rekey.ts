/**
 * ContinueRekey — `trent rekey`: takes one share or passphrase, of the current seal until it is open, and of
 * the new seal as its proof afterwards.
 * @module
 */
import { shownCaller } from '../../model/operator.ts'
import { required, text } from '../../model/shape.ts'
import type { RekeyState } from '../contract/seal-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const continueRekey = trentOperation<RekeyState>()({
  name: 'ContinueRekey',
  door: 'operator',
  input: { secret: required(text({ min: 1, max: 4096, sensitive: true })) },
  permissions: () => [{ action: 'trent:Rekey' }],
  readOnly: false,
  audit: [],
  auditResponse: ({ stage, seal, set, given, givers, setting }) => ({
    stage,
    seal,
    set,
    given,
    givers,
    setting,
  }),
  throws: ['ValidationException', 'AccessDeniedException', 'DependencyTimeoutException'],
  run: ({ input: { secret }, caller }, { server }) =>
    server.seal.give(Buffer.from(secret), shownCaller(caller)),
})
