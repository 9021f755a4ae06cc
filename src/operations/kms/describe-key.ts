/**
 * DescribeKey — returns the metadata of a key, without its policy, tags and aliases.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 * @module
 */
import type { DescribeKeyRequest, DescribeKeyResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
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
  run({ keys: { key }, arn }, { store }) {
    const found = key.primaryRegion === undefined ? [] : store.listRelatedKeys(key)
    return andThen(found, (related) => ({ KeyMetadata: keyMetadata(key, arn, related) }))
  },
})
