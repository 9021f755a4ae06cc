/**
 * AttachGroupPolicy — gives a group a managed policy; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html
 * @module
 */
import type { AttachGroupPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { attachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, policyArn, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'

export const attachGroupPolicy = iamOperation<AttachGroupPolicyRequest, void>()({
  name: 'AttachGroupPolicy',
  input: { GroupName: required(groupName), PolicyArn: required(policyArn) },
  group: { from: 'GroupName', action: 'iam:AttachGroupPolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['GroupName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'PolicyNotAttachableException',
    'LimitExceededException',
  ],
  check({ GroupName, PolicyArn }) {
    checkName('groupName', GroupName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const { PolicyArn } = call.input
    const group = requiredGroup(call.group)
    await call.commit(async (transaction) => {
      const attachedPolicies = await attachPolicy('group', group, PolicyArn, call, transaction)
      if (attachedPolicies !== undefined) await transaction.updateGroup(group, { attachedPolicies })
    })
  },
})
