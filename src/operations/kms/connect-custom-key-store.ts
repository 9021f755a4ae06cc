/**
 * ConnectCustomKeyStore — begins to connect a key store. The connection is made in the background.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ConnectCustomKeyStore.html
 * @module
 */
import type {
  ConnectCustomKeyStoreRequest,
  ConnectCustomKeyStoreResponse,
} from '@aws-sdk/client-kms'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { hsmsForConnections, recordedStore } from './clusters.ts'
import { requireKeyStore, wrongState } from './key-stores.ts'
import { customKeyStoreId } from './members.ts'

export const connectCustomKeyStore = operation<
  ConnectCustomKeyStoreRequest,
  ConnectCustomKeyStoreResponse
>()({
  name: 'ConnectCustomKeyStore',
  input: { CustomKeyStoreId: required(customKeyStoreId) },
  keys: {},
  permissions: () => [{ action: 'kms:ConnectCustomKeyStore' }],
  readOnly: false,
  audit: ['CustomKeyStoreId'],
  throws: [
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
    'CustomKeyStoreInvalidStateException',
    'CloudHsmClusterInvalidConfigurationException',
    'CloudHsmClusterNotActiveException',
  ],
  async run(call, { store, hsmClusters }) {
    const { input, commit } = call
    const seen = await requireKeyStore(store, call, input.CustomKeyStoreId)
    call.aboutKeyStore(recordedStore(seen))
    if (seen.connection === 'DISCONNECTING' || seen.connection === 'FAILED') throw wrongState(seen)
    // It is connected, or on the way.
    if (seen.connection !== 'DISCONNECTED') return {}
    const cluster = seen.cluster && hsmClusters.named(seen.cluster.clusterId)
    // A cluster that is not there fails the connection.
    if (cluster !== undefined) {
      hsmClusters.requireHsms(cluster, hsmsForConnections)
      await hsmClusters.requireInitialized(cluster)
    }
    return commit(async (transaction) => {
      await transaction.updateKeyStore(seen, { connection: 'CONNECTING' })
      return {}
    })
  },
})
