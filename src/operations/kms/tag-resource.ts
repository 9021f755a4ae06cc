/**
 * TagResource — adds tags to a key, or changes the values of present ones.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
 * @module
 */
import type { TagResourceRequest } from '@aws-sdk/client-kms'
import { notDyingStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId, tags } from './members.ts'
import { checkTags, sameTags, tagEntries, withTags } from './tags.ts'

export const tagResource = operation<TagResourceRequest, void>()({
  name: 'TagResource',
  input: { KeyId: requiredKeyId, Tags: required(tags) },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:TagResource',
      crossAccount: false,
      states: notDyingStates,
    },
  },
  context: (input) => tagEntries(input.Tags),
  readOnly: false,
  audit: ['KeyId', 'Tags'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'TagException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
  ],
  check: (input) => checkTags(input.Tags),
  async run({ input, keys: { key }, commit }) {
    const changed = withTags(key.tags, input.Tags)
    if (sameTags(changed, key.tags)) return
    await commit(async (transaction) => {
      await transaction.updateKey(key, { tags: changed })
    })
  },
})
