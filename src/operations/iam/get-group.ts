/**
 * GetGroup — returns a group and its users, sorted by name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html
 * @module
 */
import type { GetGroupRequest, GetGroupResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, groupName, marker, maxItems } from './members.ts'
import { readPage } from './page.ts'
import { requiredGroup } from './required-identity.ts'
import { shownGroup } from './shown-group.ts'
import { listedUser } from './shown-user.ts'

export const getGroup = iamOperation<GetGroupRequest, GetGroupResponse>()({
  name: 'GetGroup',
  input: { GroupName: required(groupName), Marker: marker, MaxItems: maxItems },
  group: { from: 'GroupName', action: 'iam:GetGroup' },
  readOnly: true,
  audit: ['GroupName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ GroupName }) => checkName('groupName', GroupName),
  async run({ input, group, partition }, { store, pages }) {
    const known = requiredGroup(group)
    const { rows, paging } = await readPage(pages, {
      scope: ['GetGroup', known.groupId],
      marker: input.Marker,
      limit: input.MaxItems,
      read: (page) => store.listMembers(known.accountId, known.groupId, page),
      nameOf: (user) => user.name,
    })
    const Users = rows.map((user) => listedUser(partition, user))
    return { Group: shownGroup(partition, known), Users, ...paging }
  },
})
