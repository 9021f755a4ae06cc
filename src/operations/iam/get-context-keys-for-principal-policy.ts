/**
 * GetContextKeysForPrincipalPolicy — returns the condition keys that the policies of a user, a group or a
 * role use.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForPrincipalPolicy.html
 * @module
 */
import type {
  GetContextKeysForPolicyResponse,
  GetContextKeysForPrincipalPolicyRequest,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { policyArn } from './members.ts'
import { policiesOfPrincipal } from './principal-policies.ts'
import { contextKeys, givenPolicies, policyList } from './simulation.ts'

export const getContextKeysForPrincipalPolicy = iamOperation<
  GetContextKeysForPrincipalPolicyRequest,
  GetContextKeysForPolicyResponse
>()({
  name: 'GetContextKeysForPrincipalPolicy',
  input: { PolicySourceArn: required(policyArn), PolicyInputList: policyList },
  permissions: ({ PolicySourceArn }) => [
    { action: 'iam:GetContextKeysForPrincipalPolicy', arn: PolicySourceArn },
  ],
  readOnly: true,
  audit: ['PolicySourceArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
  ],
  async run({ input, caller: { accountId }, signal }, { store }) {
    const { identity } = await policiesOfPrincipal(input.PolicySourceArn, accountId, store)
    const given = await givenPolicies('PolicyInputList', input.PolicyInputList, signal)
    return { ContextKeyNames: await contextKeys([...identity, ...given], signal) }
  },
})
