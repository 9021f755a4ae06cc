/**
 * ListUsers — returns the account's users, sorted by name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
 * @module
 */
import type { ListUsersRequest, ListUsersResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPathPrefix, marker, maxItems, path } from './members.ts'
import { readPage } from './page.ts'
import { listedUser } from './shown-user.ts'

export const listUsers = iamOperation<ListUsersRequest, ListUsersResponse>()({
  name: 'ListUsers',
  input: { PathPrefix: path, Marker: marker, MaxItems: maxItems },
  permissions: ({ PathPrefix = '/' }) => [
    { action: 'iam:ListUsers', iamResource: `user${PathPrefix}` },
  ],
  readOnly: true,
  audit: ['PathPrefix', 'Marker', 'MaxItems'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidMarkerException'],
  check: ({ PathPrefix }) => checkPathPrefix(PathPrefix),
  async run({ input, caller: { accountId }, partition }, { store, pages }) {
    const pathPrefix = input.PathPrefix ?? '/'
    const { rows, paging } = await readPage(pages, {
      scope: ['ListUsers', accountId, pathPrefix],
      marker: input.Marker,
      limit: input.MaxItems,
      read: (page) => store.listUsers(accountId, { ...page, pathPrefix }),
      nameOf: (user) => user.name,
    })
    return { Users: rows.map((user) => listedUser(partition, user)), ...paging }
  },
})
