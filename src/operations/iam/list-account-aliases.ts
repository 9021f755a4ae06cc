/**
 * ListAccountAliases — returns the account's alias, if it has one.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html
 * @module
 */
import type { ListAccountAliasesRequest, ListAccountAliasesResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { marker, maxItems } from './members.ts'
import { pageOf } from './page.ts'
import { requiredAccount } from './required-account.ts'

export const listAccountAliases = iamOperation<
  ListAccountAliasesRequest,
  ListAccountAliasesResponse
>()({
  name: 'ListAccountAliases',
  input: { Marker: marker, MaxItems: maxItems },
  permissions: () => [{ action: 'iam:ListAccountAliases' }],
  readOnly: true,
  audit: ['Marker', 'MaxItems'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidMarkerException'],
  async run({ input, caller: { accountId } }, { store, pages }) {
    const { alias } = await requiredAccount(accountId, store)
    const { rows, paging } = await pageOf(
      alias === undefined ? [] : [alias],
      (name) => name,
      pages,
      {
        scope: ['ListAccountAliases', accountId],
        marker: input.Marker,
        limit: input.MaxItems,
      },
    )
    return { AccountAliases: [...rows], ...paging }
  },
})
