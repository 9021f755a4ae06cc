/**
 * ListGroupsForUser — returns the groups of a user.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html
 * @module
 */
import type { ListGroupsForUserRequest, ListGroupsForUserResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, userName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredUser } from './required-identity.ts'
import { shownGroup } from './shown-group.ts'

export const listGroupsForUser = iamOperation<
  ListGroupsForUserRequest,
  ListGroupsForUserResponse
>()({
  name: 'ListGroupsForUser',
  input: { UserName: required(userName), Marker: marker, MaxItems: maxItems },
  user: { from: 'UserName', action: 'iam:ListGroupsForUser' },
  readOnly: true,
  audit: ['UserName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ input, user, partition }, { store, pages }) {
    const { userId, groups } = requiredUser(user)
    const found = await Promise.all(groups.map((groupId) => store.findGroup(groupId)))
    const present = found.filter((group) => group !== undefined)
    const { rows, paging } = await pageOf(present, ({ name }) => name, pages, {
      scope: ['ListGroupsForUser', userId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Groups: rows.map((group) => shownGroup(partition, group)), ...paging }
  },
})
