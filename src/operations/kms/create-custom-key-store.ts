/**
 * CreateCustomKeyStore — registers a key store that an account has outside: an HSM cluster, or an external
 * key manager behind a proxy. The new store is disconnected.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
 * @module
 */
import type { CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import type { StoreReads } from '../../store/store.ts'
import { customKeyStoresService } from '../iam/linked-services.ts'
import { operation } from '../contract/operation.ts'
import { clusterErrors } from './clusters.ts'
import { proxyErrors, requireFreeName } from './key-stores.ts'
import { checkNewKeyStore, newKeyStore, newKeyStoreMembers } from './new-key-store.ts'
import { withLinkedRole } from './service-linked-role.ts'

/** Custom key stores of an account in a Region. */
const keyStoresMax = 10

export const createCustomKeyStore = operation<
  CreateCustomKeyStoreRequest,
  CreateCustomKeyStoreResponse
>()({
  name: 'CreateCustomKeyStore',
  input: newKeyStoreMembers,
  keys: {},
  permissions: ({ CustomKeyStoreType: type }) => [
    { action: 'kms:CreateCustomKeyStore' },
    ...(type === 'EXTERNAL_KEY_STORE' ? [] : [{ action: 'cloudhsm:DescribeClusters' }]),
  ],
  readOnly: false,
  audit: [
    'CustomKeyStoreName',
    'CustomKeyStoreType',
    'XksProxyUriEndpoint',
    'XksProxyUriPath',
    'XksProxyVpcEndpointServiceName',
    'XksProxyVpcEndpointServiceOwner',
    'XksProxyConnectivity',
  ],
  // AWS records this member under another name.
  auditDefaults: ({ CloudHsmClusterId }) => ({ clusterId: CloudHsmClusterId }),
  auditResponse: ({ CustomKeyStoreId }) => ({ customKeyStoreId: CustomKeyStoreId }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'CustomKeyStoreNameInUseException',
    'LimitExceededException',
    ...clusterErrors,
    ...proxyErrors,
  ],
  check: checkNewKeyStore,
  async run(call, dependencies) {
    const { input, caller, region, commit } = call
    const { store, clock, random } = dependencies
    call.aboutKeyStore({})
    const { accountId } = caller
    const ref = { accountId, region, storeId: newStoreId(random.bytes(9)) }
    const createdAt = clock.now()
    const { record, requireFree, ask } = newKeyStore(ref, createdAt, call, dependencies)
    const requirePlace = async (
      reads: Pick<StoreReads, 'listKeyStores' | 'listClusterStores'>,
    ): Promise<void> => {
      const others = await reads.listKeyStores(accountId, region)
      requireFreeName(input.CustomKeyStoreName, others)
      await requireFree(reads, others)
      if (others.length < keyStoresMax) return
      throw new KmsError(
        'LimitExceededException',
        `Custom key stores quota for this account in this region is ${keyStoresMax}, ` +
          `current usage is ${others.length}.`,
      )
    }
    // Before anything outside is asked: an account must not use Trent to probe what it may not have.
    await requirePlace(store)
    await ask()
    return commit(async (transaction) => {
      await requirePlace(transaction)
      await transaction.insertKeyStore({
        ...ref,
        ...record,
        name: input.CustomKeyStoreName,
        connection: 'DISCONNECTED',
        createdAt,
      })
      return { CustomKeyStoreId: ref.storeId }
    })
  },
  async alsoChanges(call, transaction, dependencies) {
    if (call.input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE') return
    await withLinkedRole(customKeyStoresService, call, transaction, dependencies)
  },
})

function newStoreId(bytes: Uint8Array): string {
  return `cks-${Buffer.from(bytes).toString('hex').slice(0, 17)}`
}
