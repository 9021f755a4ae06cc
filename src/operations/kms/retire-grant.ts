/**
 * RetireGrant — deletes a grant, for principals that the grant itself authorizes.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html
 * @module
 */
import type { RetireGrantRequest } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { anyState } from '../../model/key-state.ts'
import { readGrantId } from '../../model/grant-id.ts'
import { operation } from '../contract/operation.ts'
import { grantConstraintEntries } from './context-entries.ts'
import { dryRun, grantId, grantToken, keyId } from './members.ts'

export const retireGrant = operation<RetireGrantRequest, void>()({
  name: 'RetireGrant',
  input: { GrantToken: grantToken, KeyId: keyId, GrantId: grantId, DryRun: dryRun },
  keys: {
    key: {
      from: 'KeyId',
      token: 'GrantToken',
      forms: 'key',
      action: 'kms:RetireGrant',
      crossAccount: true,
      states: anyState,
    },
  },
  grant: { from: 'GrantId', token: 'GrantToken', key: 'key' },
  context: (_input, _use, _found, grant) => grantConstraintEntries(grant?.constraints),
  readOnly: false,
  // AWS records no parameters: the grant's id is in `additionalEventData`.
  audit: ['DryRun'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidGrantIdException',
    'ValidationException',
    'InvalidGrantTokenException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DryRunOperationException',
  ],
  check({ GrantToken, KeyId, GrantId }) {
    if (GrantId !== undefined) readGrantId(GrantId)
    const byToken = GrantToken !== undefined && KeyId === undefined && GrantId === undefined
    const byId = GrantToken === undefined && KeyId !== undefined && GrantId !== undefined
    if (byToken || byId) return
    const message = 'either `GrantToken` or both `KeyId` and `GrantId` are needed'
    throw new KmsError('ValidationException', message)
  },
  async run({ grant, commit }) {
    // unreachable: authorization refuses calls for grants that do not exist
    if (grant === undefined) throw new Error('no grant to retire')
    await commit((transaction) => transaction.deleteGrant(grant))
  },
})
