/**
 * UpdateCustomKeyStore — changes the name of a key store, or how its proxy or its cluster is reached.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html
 * @module
 */
import type { UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse } from '@aws-sdk/client-kms'
import type { CustomKeyStoreRecord, XksProxy } from '../../model/custom-key-store.ts'
import { required, type Input } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { operation } from '../contract/operation.ts'
import {
  clusterErrors,
  hsmsForChanges,
  recordedStore,
  requireFreeCluster,
  requireRelated,
} from './clusters.ts'
import { keyStoreName, keyStoreSettings } from './key-store-members.ts'
import {
  clusterMembers,
  invalid,
  proxyErrors,
  proxyMembers,
  refuseMembers,
  requireFreeAddress,
  requireFreeName,
  requireKeyStore,
  requirePath,
  wrongState,
} from './key-stores.ts'
import { customKeyStoreId } from './members.ts'

const members = {
  CustomKeyStoreId: required(customKeyStoreId),
  NewCustomKeyStoreName: keyStoreName,
  ...keyStoreSettings,
}

/** What can change while the store is connected. */
const changeableWhileConnected: readonly string[] = [
  'NewCustomKeyStoreName',
  'XksProxyUriPath',
  'XksProxyAuthenticationCredential',
]

export const updateCustomKeyStore = operation<
  UpdateCustomKeyStoreRequest,
  UpdateCustomKeyStoreResponse
>()({
  name: 'UpdateCustomKeyStore',
  input: members,
  keys: {},
  permissions: () => [{ action: 'kms:UpdateCustomKeyStore' }],
  readOnly: false,
  audit: [
    'CustomKeyStoreId',
    'NewCustomKeyStoreName',
    'XksProxyUriEndpoint',
    'XksProxyUriPath',
    'XksProxyVpcEndpointServiceName',
    'XksProxyVpcEndpointServiceOwner',
    'XksProxyConnectivity',
  ],
  // AWS records this member under another name.
  auditDefaults: ({ CloudHsmClusterId }) => ({ clusterId: CloudHsmClusterId }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNameInUseException',
    ...clusterErrors,
    ...proxyErrors,
  ],
  check(input) {
    if (Object.keys(input).length === 1) throw invalid('There is nothing to update.')
    if (input.XksProxyUriPath !== undefined) requirePath(input.XksProxyUriPath)
  },
  async run(call, dependencies) {
    const { store, clock, externalKeyStores, keyStoreSecrets } = dependencies
    const { input, caller, region, commit, signal } = call
    const seen = await requireKeyStore(store, call, input.CustomKeyStoreId)
    call.aboutKeyStore(recordedStore(seen))
    requireChangeable(input, seen)
    const isExternal = seen.type === 'EXTERNAL_KEY_STORE'
    refuseMembers(input, isExternal ? clusterMembers : proxyMembers, seen.type)
    const newCluster = isExternal ? undefined : clusterChanges(input, seen, dependencies)
    const { NewCustomKeyStoreName: name, XksProxyAuthenticationCredential: credential } = input
    const proxy = seen.proxy && updatedProxy(seen.proxy, input, caller.accountId, clock.now())
    const wrapped =
      credential === undefined
        ? {}
        : keyStoreSecrets.wrap(seen, credential.AccessKeyId, credential.RawSecretAccessKey)
    const updated = { ...seen, ...wrapped, ...(proxy && { proxy }) }
    const requireFree = async (
      reads: Pick<StoreReads, 'listKeyStores' | 'listClusterStores'>,
    ): Promise<void> => {
      const found = await reads.listKeyStores(caller.accountId, region)
      const others = found.filter(({ storeId }) => storeId !== seen.storeId)
      if (name !== undefined) requireFreeName(name, others)
      if (proxy !== undefined) requireFreeAddress(proxy, others)
      await newCluster?.requireFree(reads)
    }
    await requireFree(store)
    await newCluster?.ask()
    if (proxy !== undefined && changesProxy(input)) {
      const address = keyStoreSecrets.addressOf({ ...updated, proxy })
      const isAsked = proxy.connectivity === 'PUBLIC_ENDPOINT' || seen.connection === 'CONNECTED'
      if (isAsked) await externalKeyStores.requireHealthy(address, call, signal)
      else await externalKeyStores.requireAddress(address)
    }
    return commit(async (transaction) => {
      await requireFree(transaction)
      await transaction.updateKeyStore(seen, {
        ...(name !== undefined && { name }),
        ...(proxy && { proxy }),
        ...wrapped,
        ...newCluster?.changes,
      })
      return {}
    })
  },
})

type Given = Input<typeof members>

interface ClusterChanges {
  readonly changes: Partial<CustomKeyStoreRecord>
  readonly requireFree: (reads: Pick<StoreReads, 'listClusterStores'>) => Promise<void>
  readonly ask: () => Promise<void>
}

/** The changes of a key store in an HSM cluster, if there are any but its name. @throws {KmsError} */
function clusterChanges(
  { CloudHsmClusterId, KeyStorePassword: password }: Given,
  seen: CustomKeyStoreRecord,
  { hsmClusters, hsmKeyStores }: OperationDependencies,
): ClusterChanges | undefined {
  if (CloudHsmClusterId === undefined && password === undefined) return undefined
  const { accountId, cluster: present } = seen
  const cluster = hsmClusters.find(CloudHsmClusterId ?? present?.clusterId ?? '', accountId)
  requireRelated(cluster, seen)
  const { clusterId } = cluster
  return {
    changes: {
      ...(present && { cluster: { ...present, clusterId } }),
      ...(password !== undefined && hsmKeyStores.wrapPassword(seen, password)),
    },
    requireFree: (reads) => requireFreeCluster(reads, cluster, seen),
    async ask() {
      hsmClusters.requireHsms(cluster, hsmsForChanges)
      await hsmClusters.requireActive(cluster)
    },
  }
}

function changesProxy(input: Given): boolean {
  return Object.keys(input).some((member) => member.startsWith('XksProxy'))
}

/** @throws {KmsError} `CustomKeyStoreInvalidStateException` */
function requireChangeable(input: Given, seen: CustomKeyStoreRecord): void {
  if (seen.connection === 'DISCONNECTED') return
  const isSmall = Object.keys(input).every(
    (member) => member === 'CustomKeyStoreId' || changeableWhileConnected.includes(member),
  )
  if (seen.connection !== 'CONNECTED' || !isSmall) throw wrongState(seen)
}

/** @throws {KmsError} `ValidationException` for settings that do not fit together */
function updatedProxy(proxy: XksProxy, input: Given, accountId: string, now: number): XksProxy {
  const { XksProxyAuthenticationCredential: credential } = input
  const connectivity = input.XksProxyConnectivity ?? proxy.connectivity
  const isPrivate = connectivity === 'VPC_ENDPOINT_SERVICE'
  if (connectivity !== proxy.connectivity && input.XksProxyUriEndpoint === undefined) {
    throw invalid('XksProxyUriEndpoint is required when XksProxyConnectivity changes.')
  }
  if (!isPrivate) {
    for (const name of [
      'XksProxyVpcEndpointServiceName',
      'XksProxyVpcEndpointServiceOwner',
    ] as const) {
      if (input[name] === undefined) continue
      throw invalid(`${name} is not valid when XksProxyConnectivity is PUBLIC_ENDPOINT.`)
    }
  }
  const vpcServiceName = input.XksProxyVpcEndpointServiceName ?? proxy.vpcServiceName
  if (isPrivate && vpcServiceName === undefined) {
    throw invalid(
      'XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.',
    )
  }
  return {
    endpoint: input.XksProxyUriEndpoint ?? proxy.endpoint,
    path: input.XksProxyUriPath ?? proxy.path,
    connectivity,
    ...(isPrivate && {
      vpcServiceName: vpcServiceName ?? '',
      vpcServiceOwner: input.XksProxyVpcEndpointServiceOwner ?? proxy.vpcServiceOwner ?? accountId,
    }),
    accessKeyId: credential?.AccessKeyId ?? proxy.accessKeyId,
    credentialSetAt: credential === undefined ? proxy.credentialSetAt : now,
  }
}
