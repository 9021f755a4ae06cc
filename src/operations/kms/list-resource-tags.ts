/**
 * ListResourceTags — lists the tags of a key in the order in which they were added.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html
 * @module
 */
import type { ListResourceTagsRequest, ListResourceTagsResponse } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { marker, requiredKeyId } from './members.ts'
import { readPage } from '../contract/page.ts'
import { tagsMax } from './tags.ts'

export const listResourceTags = operation<ListResourceTagsRequest, ListResourceTagsResponse>()({
  name: 'ListResourceTags',
  input: { KeyId: requiredKeyId, Limit: integer({ min: 1, max: tagsMax }), Marker: marker },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ListResourceTags',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId', 'Limit', 'Marker'],
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidMarkerException',
  ],
  async run({ input, keys: { key } }, { pages }) {
    const numbered = key.tags.map((tag, index) => ({ ...tag, place: index + 1 }))
    const { rows, paging } = await readPage(pages, {
      scope: ['ListResourceTags', key.accountId, key.region, key.keyId],
      marker: input.Marker,
      limit: input.Limit ?? tagsMax,
      // The marker is a position: the last tag of the page before may have been removed.
      read: async ({ after, limit }) => {
        const start = Number(after ?? 0)
        return numbered.slice(start, start + limit)
      },
      nameOf: (tag) => String(tag.place),
    })
    return { Tags: rows.map(({ TagKey, TagValue }) => ({ TagKey, TagValue })), ...paging }
  },
})
