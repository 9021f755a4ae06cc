/**
 * UntagResource — removes tags from a key; unknown tag keys are ignored.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html
 * @module
 */
import type { UntagResourceRequest } from '@aws-sdk/client-kms'
import { notDyingStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId, tagKeys } from './members.ts'
import { withoutTags } from './tags.ts'

export const untagResource = operation<UntagResourceRequest, void>()({
  name: 'UntagResource',
  input: { KeyId: requiredKeyId, TagKeys: required(tagKeys) },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:UntagResource',
      crossAccount: false,
      states: notDyingStates,
    },
  },
  context: (input) => (input.TagKeys.length === 0 ? {} : { 'aws:TagKeys': input.TagKeys }),
  readOnly: false,
  audit: ['KeyId', 'TagKeys'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
  ],
  async run({ input, keys: { key }, commit }) {
    const left = withoutTags(key.tags, input.TagKeys)
    if (left.length === key.tags.length) return
    await commit(async (transaction) => {
      await transaction.updateKey(key, { tags: left })
    })
  },
})
