/**
 * DescribeKey — returns the metadata of a key, without its policy, tags and aliases.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 * @module
 */
import type { DescribeKeyRequest, DescribeKeyResponse } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { keyMetadata } from './key-metadata.ts'
import { grantTokens, requiredKeyId } from './members.ts'

export const describeKey = operation<DescribeKeyRequest, DescribeKeyResponse>()({
  name: 'DescribeKey',
  input: { KeyId: requiredKeyId, GrantTokens: grantTokens },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:DescribeKey',
      crossAccount: true,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId'],
  throws: [
    'InvalidGrantTokenException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
  ],
  async run({ keys: { key }, arn }, { store }) {
    const related = key.primaryRegion === undefined ? [] : await store.listRelatedKeys(key)
    return { KeyMetadata: keyMetadata(key, arn, related) }
  },
})
