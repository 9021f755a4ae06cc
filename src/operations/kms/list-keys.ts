/**
 * ListKeys — lists the keys of an account and Region, including those pending deletion.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html
 * @module
 */
import type { ListKeysRequest, ListKeysResponse } from '@aws-sdk/client-kms'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { marker } from './members.ts'
import { readPage } from '../contract/page.ts'

export const listKeys = operation<ListKeysRequest, ListKeysResponse>()({
  name: 'ListKeys',
  input: { Limit: integer({ min: 1, max: 1000 }), Marker: marker },
  keys: {},
  permissions: () => [{ action: 'kms:ListKeys' }],
  readOnly: true,
  audit: ['Limit', 'Marker'],
  throws: ['AccessDeniedException', 'InvalidMarkerException'],
  async run({ input, caller: { accountId }, region, arn }, { store, pages }) {
    const { rows, paging } = await readPage(pages, {
      scope: ['ListKeys', accountId, region],
      marker: input.Marker,
      limit: input.Limit ?? 100,
      read: (page) => store.listKeys(accountId, region, page),
      nameOf: (key) => key.keyId,
    })
    return { Keys: rows.map((key) => ({ KeyId: key.keyId, KeyArn: arn(key) })), ...paging }
  },
})
