/**
 * ListUserTags — the tags of a user by key.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html
 * @module
 */
import type { ListUserTagsRequest, ListUserTagsResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, userName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredUser } from './required-user.ts'

export const listUserTags = iamOperation<ListUserTagsRequest, ListUserTagsResponse>()({
  name: 'ListUserTags',
  input: { UserName: required(userName), Marker: marker, MaxItems: maxItems },
  user: { from: 'UserName', action: 'iam:ListUserTags' },
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
    const { userId, tags } = requiredUser(user)
    const { rows, paging } = await pageOf(tags, ({ Key }) => Key, pages, {
      scope: ['ListUserTags', userId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Tags: rows.map(({ Key, Value }) => ({ Key, Value })), ...paging }
  },
})
