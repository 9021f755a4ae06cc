/**
 * ListUserPolicies — the names of a user's inline policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html
 * @module
 */
import type { ListUserPoliciesRequest, ListUserPoliciesResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, userName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredUser } from './required-user.ts'

export const listUserPolicies = iamOperation<ListUserPoliciesRequest, ListUserPoliciesResponse>()({
  name: 'ListUserPolicies',
  input: { UserName: required(userName), Marker: marker, MaxItems: maxItems },
  user: { from: 'UserName', action: 'iam:ListUserPolicies' },
  readOnly: true,
  audit: ['UserName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ input, user }, { pages }) {
    const { userId, inlinePolicies } = requiredUser(user)
    const { rows, paging } = await pageOf(Object.keys(inlinePolicies), (name) => name, pages, {
      scope: ['ListUserPolicies', userId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { PolicyNames: [...rows], ...paging }
  },
})
