/**
 * PutGroupPolicy — writes one inline policy of a group; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html
 * @module
 */
import type { PutGroupPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withInlinePolicy } from './inline-policies.ts'
import { checkName, policyDocument, policyName, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'

export const putGroupPolicy = iamOperation<PutGroupPolicyRequest, void>()({
  name: 'PutGroupPolicy',
  input: {
    GroupName: required(groupName),
    PolicyName: required(policyName),
    PolicyDocument: required(policyDocument),
  },
  group: { from: 'GroupName', action: 'iam:PutGroupPolicy' },
  readOnly: false,
  audit: ['GroupName', 'PolicyName', 'PolicyDocument'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check({ GroupName, PolicyName }) {
    checkName('groupName', GroupName)
    checkName('policyName', PolicyName)
  },
  async run({ input: { PolicyName, PolicyDocument }, group, commit }) {
    const known = requiredGroup(group)
    const inlinePolicies = withInlinePolicy('group', known, PolicyName, PolicyDocument)
    await commit(async (transaction) => {
      await transaction.updateGroup(known, { inlinePolicies })
    })
  },
})
