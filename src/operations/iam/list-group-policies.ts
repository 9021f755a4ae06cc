/**
 * ListGroupPolicies — the names of a group's inline policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html
 * @module
 */
import type { ListGroupPoliciesRequest, ListGroupPoliciesResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, groupName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredGroup } from './required-group.ts'

export const listGroupPolicies = iamOperation<
  ListGroupPoliciesRequest,
  ListGroupPoliciesResponse
>()({
  name: 'ListGroupPolicies',
  input: { GroupName: required(groupName), Marker: marker, MaxItems: maxItems },
  group: { from: 'GroupName', action: 'iam:ListGroupPolicies' },
  readOnly: true,
  audit: ['GroupName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ GroupName }) => checkName('groupName', GroupName),
  async run({ input, group }, { pages }) {
    const { groupId, inlinePolicies } = requiredGroup(group)
    const { rows, paging } = await pageOf(Object.keys(inlinePolicies), (name) => name, pages, {
      scope: ['ListGroupPolicies', groupId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { PolicyNames: [...rows], ...paging }
  },
})
