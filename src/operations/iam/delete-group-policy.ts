/**
 * DeleteGroupPolicy — takes one inline policy from a group.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html
 * @module
 */
import type { DeleteGroupPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withoutInlinePolicy } from './inline-policies.ts'
import { checkName, policyName, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'

export const deleteGroupPolicy = iamOperation<DeleteGroupPolicyRequest, void>()({
  name: 'DeleteGroupPolicy',
  input: { GroupName: required(groupName), PolicyName: required(policyName) },
  group: { from: 'GroupName', action: 'iam:DeleteGroupPolicy' },
  readOnly: false,
  audit: ['GroupName', 'PolicyName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ GroupName, PolicyName }) {
    checkName('groupName', GroupName)
    checkName('policyName', PolicyName)
  },
  async run({ input, group, commit }) {
    const known = requiredGroup(group)
    const inlinePolicies = withoutInlinePolicy('group', known, input.PolicyName)
    await commit(async (transaction) => {
      await transaction.updateGroup(known, { inlinePolicies })
    })
  },
})
