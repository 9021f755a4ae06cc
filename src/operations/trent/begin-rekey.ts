/**
 * BeginRekey — `trent rekey`: begins to seal the root key anew, under another seal or new secrets.
 * @module
 */
import { boolean, integer, text } from '../../model/shape.ts'
import type { RekeyState } from '../contract/seal-controls.ts'
import { trentOperation } from './trent-operation.ts'

export const beginRekey = trentOperation<RekeyState>()({
  name: 'BeginRekey',
  door: 'operator',
  input: {
    seal: text({ min: 1, max: 4096 }),
    recovery: boolean(),
    rotate: boolean(),
    passphrase: text({ min: 1, max: 4096, sensitive: true }),
    shares: integer(),
    threshold: integer(),
  },
  permissions: () => [{ action: 'trent:Rekey' }],
  readOnly: false,
  audit: ['seal', 'recovery', 'rotate', 'shares', 'threshold'],
  auditResponse: ({ stage, seal, set }) => ({ stage, seal, set }),
  throws: ['ValidationException', 'AccessDeniedException', 'DependencyTimeoutException'],
  run({ input: { passphrase, ...input } }, { server }) {
    return server.seal.begin({
      ...input,
      ...(passphrase !== undefined && { passphrase: Buffer.from(passphrase) }),
    })
  },
})
