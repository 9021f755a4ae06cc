/**
 * DescribeKey — returns the metadata of a key, without its policy, tags and aliases.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 * @module
 */
import type { DescribeKeyRequest, DescribeKeyResponse } from '@aws-sdk/client-kms'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import type { KeyRecord } from '../../model/key.ts'
import { anyState } from '../../model/key-state.ts'
import type { StoreReads } from '../../store/store.ts'
import { operation } from '../contract/operation.ts'
import { keyMetadata, type AroundKey } from './key-metadata.ts'
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
    return andThen(aroundKey(key, store), (around) => ({
      KeyMetadata: keyMetadata(key, arn, around),
    }))
  },
})

/** Most keys need no other rows. */
function aroundKey(
  key: KeyRecord,
  store: Pick<StoreReads, 'listRelatedKeys' | 'findKeyStore'>,
): Awaitable<AroundKey> {
  const { accountId, region, primaryRegion, origin, customKeyStoreId: storeId } = key
  if (primaryRegion !== undefined) {
    return store.listRelatedKeys(key).then((related) => ({ related }))
  }
  if (origin !== 'AWS_CLOUDHSM' || storeId === undefined) return {}
  return store
    .findKeyStore({ accountId, region, storeId })
    .then((found) => ({ clusterId: found?.cluster?.clusterId }))
}
