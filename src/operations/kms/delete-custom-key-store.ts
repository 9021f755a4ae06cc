/**
 * DeleteCustomKeyStore — forgets a disconnected key store without keys. Nothing outside is deleted.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteCustomKeyStore.html
 * @module
 */
import type { DeleteCustomKeyStoreRequest, DeleteCustomKeyStoreResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { recordedStore } from './clusters.ts'
import { requireKeyStore, wrongState } from './key-stores.ts'
import { customKeyStoreId } from './members.ts'

export const deleteCustomKeyStore = operation<
  DeleteCustomKeyStoreRequest,
  DeleteCustomKeyStoreResponse
>()({
  name: 'DeleteCustomKeyStore',
  input: { CustomKeyStoreId: required(customKeyStoreId) },
  keys: {},
  permissions: () => [{ action: 'kms:DeleteCustomKeyStore' }],
  readOnly: false,
  audit: ['CustomKeyStoreId'],
  throws: [
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
    'CustomKeyStoreHasCMKsException',
    'CustomKeyStoreInvalidStateException',
  ],
  async run(call, { store }) {
    const { input, commit } = call
    const seen = await requireKeyStore(store, call, input.CustomKeyStoreId)
    call.aboutKeyStore(recordedStore(seen))
    return commit(async (transaction) => {
      // In any state: a key that is pending deletion counts, too.
      const [key] = await transaction.listKeysInStore(seen, { limit: 1 })
      if (key !== undefined) {
        throw new KmsError(
          'CustomKeyStoreHasCMKsException',
          `Custom key store ${seen.storeId} contains KMS keys.`,
        )
      }
      if (seen.connection !== 'DISCONNECTED') throw wrongState(seen)
      await transaction.deleteKeyStore(seen)
      return {}
    })
  },
})
