/**
 * DisconnectCustomKeyStore — ends the connection to a key store. Its keys cannot be used until it is
 * connected again.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DisconnectCustomKeyStore.html
 * @module
 */
import type {
  DisconnectCustomKeyStoreRequest,
  DisconnectCustomKeyStoreResponse,
} from '@aws-sdk/client-kms'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { recordedStore } from './clusters.ts'
import { requireKeyStore, wrongState } from './key-stores.ts'
import { customKeyStoreId } from './members.ts'

export const disconnectCustomKeyStore = operation<
  DisconnectCustomKeyStoreRequest,
  DisconnectCustomKeyStoreResponse
>()({
  name: 'DisconnectCustomKeyStore',
  input: { CustomKeyStoreId: required(customKeyStoreId) },
  keys: {},
  permissions: () => [{ action: 'kms:DisconnectCustomKeyStore' }],
  readOnly: false,
  audit: ['CustomKeyStoreId'],
  throws: [
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
    'CustomKeyStoreInvalidStateException',
  ],
  async run(call, { store }) {
    const { input, commit } = call
    const seen = await requireKeyStore(store, call, input.CustomKeyStoreId)
    call.aboutKeyStore(recordedStore(seen))
    const { connection } = seen
    if (connection === 'DISCONNECTING' || connection === 'DISCONNECTED') throw wrongState(seen)
    return commit(async (transaction) => {
      await transaction.updateKeyStore(seen, {
        connection: 'DISCONNECTING',
        connectionError: undefined,
      })
      return {}
    })
  },
})
