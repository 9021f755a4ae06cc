/**
 * GetContextKeysForCustomPolicy — returns the condition keys that the given policies use.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForCustomPolicy.html
 * @module
 */
import type {
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { contextKeys, givenPolicies, policyList } from './simulation.ts'

export const getContextKeysForCustomPolicy = iamOperation<
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse
>()({
  name: 'GetContextKeysForCustomPolicy',
  input: { PolicyInputList: required(policyList) },
  permissions: () => [{ action: 'iam:GetContextKeysForCustomPolicy' }],
  readOnly: true,
  audit: [],
  throws: ['ValidationException', 'AccessDeniedException', 'MalformedPolicyDocumentException'],
  async run({ input, signal }) {
    const given = await givenPolicies('PolicyInputList', input.PolicyInputList, signal)
    return { ContextKeyNames: await contextKeys(given, signal) }
  },
})
