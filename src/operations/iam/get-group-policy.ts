/**
 * GetGroupPolicy — one inline policy of a group, as it was written.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html
 * @module
 */
import type { GetGroupPolicyRequest, GetGroupPolicyResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { inlinePolicyOf } from './inline-policies.ts'
import { checkName, policyName, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'
import { shownDocument } from './shown-document.ts'

export const getGroupPolicy = iamOperation<GetGroupPolicyRequest, GetGroupPolicyResponse>()({
  name: 'GetGroupPolicy',
  input: { GroupName: required(groupName), PolicyName: required(policyName) },
  group: { from: 'GroupName', action: 'iam:GetGroupPolicy' },
  readOnly: true,
  audit: ['GroupName', 'PolicyName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ GroupName, PolicyName }) {
    checkName('groupName', GroupName)
    checkName('policyName', PolicyName)
  },
  async run({ input: { PolicyName }, group }) {
    const known = requiredGroup(group)
    const document = inlinePolicyOf('group', known, PolicyName)
    return { GroupName: known.name, PolicyName, PolicyDocument: shownDocument(document) }
  },
})
