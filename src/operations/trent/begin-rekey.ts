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
    // Somebody may have put a PIN or a passphrase into it. On record is what was understood.
    seal: text({ min: 1, max: 4096, sensitive: true }),
    recovery: boolean(),
    rotate: boolean(),
    passphrase: text({ min: 1, max: 4096, sensitive: true }),
    shares: integer(),
    threshold: integer(),
  },
  permissions: () => [{ action: 'trent:Rekey' }],
  readOnly: false,
  audit: ['recovery', 'rotate', 'shares', 'threshold'],
  auditResponse: ({ stage, seal, set, setting }) => ({ stage, seal, set, setting }),
  throws: ['ValidationException', 'AccessDeniedException', 'DependencyTimeoutException'],
  run({ input: { passphrase, ...input } }, { server }) {
    return server.seal.begin({
      ...input,
      ...(passphrase !== undefined && { passphrase: Buffer.from(passphrase) }),
    })
  },
})
