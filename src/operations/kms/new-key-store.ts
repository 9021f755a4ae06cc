/**
 * The two kinds of new key stores: what a caller must give for each, and how it is checked.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
 * @module
 */
import type {
  CustomKeyStoreRecord,
  CustomKeyStoreRef,
  XksProxy,
} from '../../model/custom-key-store.ts'
import type { Input } from '../../model/shape.ts'
import { oneOf, required, text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { hsmsForChanges, requireFreeCluster, requireTrustAnchor } from './clusters.ts'
import { keyStoreName, keyStoreSettings } from './key-store-members.ts'
import {
  clusterMembers,
  invalid,
  proxyMembers,
  refuseMembers,
  requireFreeAddress,
  requirePath,
} from './key-stores.ts'

export const newKeyStoreMembers = {
  CustomKeyStoreName: required(keyStoreName),
  ...keyStoreSettings,
  TrustAnchorCertificate: text({ min: 1, max: 5000 }),
  CustomKeyStoreType: oneOf(['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']),
}

type Given = Input<typeof newKeyStoreMembers>

/** A key store that is not stored yet. */
export interface NewKeyStore {
  readonly record: Pick<
    CustomKeyStoreRecord,
    'type' | 'proxy' | 'cluster' | 'wrappedSecret' | 'wrappingVersion'
  >
  /** Checks that no other key store has the same proxy or cluster. @throws {KmsError} */
  readonly requireFree: (
    reads: Pick<StoreReads, 'listClusterStores'>,
    others: readonly CustomKeyStoreRecord[],
  ) => Promise<void>
  /** Asks the proxy or the cluster. @throws {KmsError} */
  readonly ask: () => Promise<void>
}

/** Checks the members of a request against each other. @throws {KmsError} `ValidationException` */
export function checkNewKeyStore(input: Given): void {
  if (input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE') requireProxySettings(input)
  else requireClusterSettings(input)
}

/** @throws {KmsError} */
export function newKeyStore(
  ref: CustomKeyStoreRef,
  createdAt: number,
  call: Call<Given, never>,
  dependencies: OperationDependencies,
): NewKeyStore {
  return call.input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE'
    ? externalStore(ref, createdAt, call, dependencies)
    : clusterStore(ref, call, dependencies)
}

function clusterStore(
  ref: CustomKeyStoreRef,
  { input }: Call<Given, never>,
  { hsmClusters, hsmKeyStores }: OperationDependencies,
): NewKeyStore {
  const { clusterId, password, trustAnchor } = requireClusterSettings(input)
  const cluster = hsmClusters.find(clusterId, ref.accountId)
  requireTrustAnchor(cluster, trustAnchor)
  return {
    record: {
      type: 'AWS_CLOUDHSM',
      cluster: { clusterId, trustAnchor },
      ...hsmKeyStores.wrapPassword(ref, password),
    },
    requireFree: (reads) => requireFreeCluster(reads, cluster),
    async ask() {
      hsmClusters.requireHsms(cluster, hsmsForChanges)
      await hsmClusters.requireActive(cluster)
    },
  }
}

function externalStore(
  ref: CustomKeyStoreRef,
  createdAt: number,
  call: Call<Given, never>,
  { externalKeyStores, keyStoreSecrets }: OperationDependencies,
): NewKeyStore {
  const { input, signal } = call
  const settings = requireProxySettings(input)
  const { AccessKeyId: accessKeyId, RawSecretAccessKey } = settings.credential
  const { endpoint, path, connectivity, vpcServiceName } = settings
  const proxy: XksProxy = {
    endpoint,
    path,
    connectivity,
    ...(vpcServiceName !== undefined && {
      vpcServiceName,
      vpcServiceOwner: input.XksProxyVpcEndpointServiceOwner ?? ref.accountId,
    }),
    accessKeyId,
    credentialSetAt: createdAt,
  }
  const wrapped = keyStoreSecrets.wrap(ref, accessKeyId, RawSecretAccessKey)
  return {
    record: { type: 'EXTERNAL_KEY_STORE', proxy, ...wrapped },
    requireFree: async (_reads, others) => requireFreeAddress(proxy, others),
    async ask() {
      const address = keyStoreSecrets.addressOf({ ...ref, ...wrapped, proxy })
      // The proxy behind a VPC endpoint service is asked when the store is connected.
      if (connectivity !== 'PUBLIC_ENDPOINT') return externalKeyStores.requireAddress(address)
      await externalKeyStores.requireHealthy(address, call, signal)
    },
  }
}

/** The settings of a proxy, complete. @throws {KmsError} `ValidationException` */
function requireProxySettings(input: Given): {
  readonly endpoint: string
  readonly path: string
  readonly connectivity: XksProxy['connectivity']
  readonly vpcServiceName?: string
  readonly credential: NonNullable<Given['XksProxyAuthenticationCredential']>
} {
  refuseMembers(input, clusterMembers, 'EXTERNAL_KEY_STORE')
  const {
    XksProxyUriEndpoint: endpoint,
    XksProxyUriPath: path,
    XksProxyConnectivity: connectivity,
    XksProxyVpcEndpointServiceName: vpcServiceName,
    XksProxyAuthenticationCredential: credential,
  } = input
  const missing =
    endpoint === undefined || path === undefined || connectivity === undefined || !credential
  if (missing) {
    throw invalid(
      'XksProxyUriEndpoint, XksProxyUriPath, XksProxyConnectivity and ' +
        'XksProxyAuthenticationCredential are required for a custom key store of type EXTERNAL_KEY_STORE.',
    )
  }
  requirePath(path)
  const isPrivate = connectivity === 'VPC_ENDPOINT_SERVICE'
  if (isPrivate !== (vpcServiceName !== undefined)) {
    throw invalid(
      isPrivate
        ? 'XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.'
        : 'XksProxyVpcEndpointServiceName is not valid when XksProxyConnectivity is PUBLIC_ENDPOINT.',
    )
  }
  if (!isPrivate) {
    refuseMembers(input, ['XksProxyVpcEndpointServiceOwner'], 'EXTERNAL_KEY_STORE')
  }
  return {
    endpoint,
    path,
    connectivity,
    ...(vpcServiceName !== undefined && { vpcServiceName }),
    credential,
  }
}

/** The settings of a cluster, complete. @throws {KmsError} `ValidationException` */
function requireClusterSettings(input: Given): {
  readonly clusterId: string
  readonly password: string
  readonly trustAnchor: string
} {
  refuseMembers(input, proxyMembers, 'AWS_CLOUDHSM')
  const {
    CloudHsmClusterId: clusterId,
    KeyStorePassword: password,
    TrustAnchorCertificate: trustAnchor,
  } = input
  if (clusterId !== undefined && password !== undefined && trustAnchor !== undefined) {
    return { clusterId, password, trustAnchor }
  }
  const missing = clusterMembers.find((name) => input[name] === undefined)
  throw invalid(`${missing} is required for a custom key store of type AWS_CLOUDHSM.`)
}
