/**
 * PutKeyPolicy — replaces the key policy, in every key state.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 * @module
 */
import type { PutKeyPolicyRequest } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { boolean, required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { policy, policyName, requiredKeyId } from './members.ts'
import { onlyPolicyName, requirePolicyName } from './policy-name.ts'

export const putKeyPolicy = operation<PutKeyPolicyRequest, void>()({
  name: 'PutKeyPolicy',
  input: {
    KeyId: requiredKeyId,
    PolicyName: policyName,
    Policy: required(policy),
    BypassPolicyLockoutSafetyCheck: boolean(),
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:PutKeyPolicy',
      crossAccount: false,
      states: anyState,
    },
  },
  context: (input) => ({
    'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
  }),
  readOnly: false,
  audit: ['KeyId', 'PolicyName', 'Policy', 'BypassPolicyLockoutSafetyCheck'],
  auditDefaults: () => ({ policyName: onlyPolicyName, bypassPolicyLockoutSafetyCheck: false }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
  ],
  async run(call, { policies }) {
    const { input, keys, commit } = call
    const { key } = keys
    requirePolicyName(input.PolicyName)
    const bypass = input.BypassPolicyLockoutSafetyCheck ?? false
    const policyPrincipals = await policies.check(input.Policy, key, call, bypass)
    await commit(async (transaction) => {
      await transaction.updateKey(key, { policy: input.Policy, policyPrincipals })
    })
  },
})
