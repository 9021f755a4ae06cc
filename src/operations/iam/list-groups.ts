/**
 * ListGroups — returns the groups of the account, sorted by name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html
 * @module
 */
import type { ListGroupsRequest, ListGroupsResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPathPrefix, marker, maxItems, path } from './members.ts'
import { readPage } from './page.ts'
import { shownGroup } from './shown-group.ts'

export const listGroups = iamOperation<ListGroupsRequest, ListGroupsResponse>()({
  name: 'ListGroups',
  input: { PathPrefix: path, Marker: marker, MaxItems: maxItems },
  permissions: ({ PathPrefix = '/' }) => [
    { action: 'iam:ListGroups', iamResource: `group${PathPrefix}` },
  ],
  readOnly: true,
  audit: ['PathPrefix', 'Marker', 'MaxItems'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidMarkerException'],
  check: ({ PathPrefix }) => checkPathPrefix(PathPrefix),
  async run({ input, caller: { accountId }, partition }, { store, pages }) {
    const pathPrefix = input.PathPrefix ?? '/'
    const { rows, paging } = await readPage(pages, {
      scope: ['ListGroups', accountId, pathPrefix],
      marker: input.Marker,
      limit: input.MaxItems,
      read: (page) => store.listGroups(accountId, { ...page, pathPrefix }),
      nameOf: (group) => group.name,
    })
    return { Groups: rows.map((group) => shownGroup(partition, group)), ...paging }
  },
})
