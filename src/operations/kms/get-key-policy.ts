/**
 * GetKeyPolicy — returns the key policy as it was written; deleted principals appear as their unique ids.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
 * @module
 */
import type { GetKeyPolicyRequest, GetKeyPolicyResponse } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { policyName, requiredKeyId } from './members.ts'
import { onlyPolicyName, requirePolicyName } from './policy-name.ts'

export const getKeyPolicy = operation<GetKeyPolicyRequest, GetKeyPolicyResponse>()({
  name: 'GetKeyPolicy',
  input: { KeyId: requiredKeyId, PolicyName: policyName },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:GetKeyPolicy',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId', 'PolicyName'],
  auditDefaults: () => ({ policyName: onlyPolicyName }),
  throws: ['InvalidArnException', 'NotFoundException', 'AccessDeniedException'],
  async run({ input, keys: { key } }, { policies }) {
    requirePolicyName(input.PolicyName)
    return { Policy: await policies.shown(key), PolicyName: onlyPolicyName }
  },
})
