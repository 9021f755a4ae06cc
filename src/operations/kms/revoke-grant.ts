/**
 * RevokeGrant — deletes a grant, for principals that the key policy authorizes.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html
 * @module
 */
import type { RevokeGrantRequest } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { grantNotFound, readGrantId } from '../../model/grant-id.ts'
import { operation } from '../contract/operation.ts'
import { dryRun, grantId, requiredKeyId } from './members.ts'

export const revokeGrant = operation<RevokeGrantRequest, void>()({
  name: 'RevokeGrant',
  input: { KeyId: requiredKeyId, GrantId: required(grantId), DryRun: dryRun },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:RevokeGrant',
      crossAccount: true,
      states: anyState,
    },
  },
  context: () => ({ 'kms:GrantIsForAWSResource': 'false' }),
  readOnly: false,
  audit: ['KeyId', 'GrantId', 'DryRun'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidGrantIdException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DryRunOperationException',
  ],
  check: ({ GrantId }) => void readGrantId(GrantId),
  async run({ input, keys: { key }, commit }, { store }) {
    const { accountId, region, keyId } = key
    const grant = await store.findGrant({ accountId, region, keyId, grantId: input.GrantId })
    if (grant === undefined) throw grantNotFound(input.GrantId)
    await commit((transaction) => transaction.deleteGrant(grant))
  },
})
