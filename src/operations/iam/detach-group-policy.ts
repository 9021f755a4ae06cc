/**
 * DetachGroupPolicy — takes a managed policy from a group.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html
 * @module
 */
import type { DetachGroupPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { detachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, policyArn, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'

export const detachGroupPolicy = iamOperation<DetachGroupPolicyRequest, void>()({
  name: 'DetachGroupPolicy',
  input: { GroupName: required(groupName), PolicyArn: required(policyArn) },
  group: { from: 'GroupName', action: 'iam:DetachGroupPolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['GroupName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
  ],
  check({ GroupName, PolicyArn }) {
    checkName('groupName', GroupName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const group = requiredGroup(call.group)
    await call.commit(async (transaction) => {
      const attachedPolicies = await detachPolicy(group, call.input.PolicyArn, call, transaction)
      await transaction.updateGroup(group, { attachedPolicies })
    })
  },
})
