/**
 * ListAccessKeys — returns a user's access keys, without their secrets.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
 * @module
 */
import type { ListAccessKeysRequest, ListAccessKeysResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, userName } from './members.ts'
import { pageOf } from './page.ts'

export const listAccessKeys = iamOperation<ListAccessKeysRequest, ListAccessKeysResponse>()({
  name: 'ListAccessKeys',
  input: { UserName: userName, Marker: marker, MaxItems: maxItems },
  user: { from: 'UserName', action: 'iam:ListAccessKeys', absent: 'caller' },
  readOnly: true,
  audit: ['UserName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ input, user, caller }, { store, pages }) {
    const owner = user?.userId ?? caller.accountId
    const all = await store.listAccessKeysOf(owner)
    const { rows, paging } = await pageOf(all, (key) => key.accessKeyId, pages, {
      scope: ['ListAccessKeys', owner],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    const AccessKeyMetadata = rows.map(({ accessKeyId: AccessKeyId, status, createdAt }) => ({
      UserName: user?.name,
      AccessKeyId,
      Status: status,
      CreateDate: new Date(createdAt),
    }))
    return { AccessKeyMetadata, ...paging }
  },
})
