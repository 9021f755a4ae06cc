/**
 * CreateCustomKeyStore — registers a key store that an account has outside: an external key manager
 * behind a proxy. The new store is disconnected.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html
 * @module
 */
import type { CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import type { XksProxy } from '../../model/custom-key-store.ts'
import type { Input } from '../../model/shape.ts'
import { oneOf, required, text } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { keyStoreName, keyStoreSettings } from './key-store-members.ts'
import {
  clusterMembers,
  invalid,
  proxyErrors,
  proxyMembers,
  refuseMembers,
  requireFreeAddress,
  requireFreeName,
  requirePath,
} from './key-stores.ts'

/** Custom key stores of an account in a Region. */
const keyStoresMax = 10

const members = {
  CustomKeyStoreName: required(keyStoreName),
  ...keyStoreSettings,
  TrustAnchorCertificate: text({ min: 1, max: 5000 }),
  CustomKeyStoreType: oneOf(['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']),
}

export const createCustomKeyStore = operation<
  CreateCustomKeyStoreRequest,
  CreateCustomKeyStoreResponse
>()({
  name: 'CreateCustomKeyStore',
  input: members,
  keys: {},
  permissions: () => [{ action: 'kms:CreateCustomKeyStore' }],
  readOnly: false,
  audit: [
    'CustomKeyStoreName',
    'CloudHsmClusterId',
    'CustomKeyStoreType',
    'XksProxyUriEndpoint',
    'XksProxyUriPath',
    'XksProxyVpcEndpointServiceName',
    'XksProxyVpcEndpointServiceOwner',
    'XksProxyConnectivity',
  ],
  auditResponse: ({ CustomKeyStoreId }) => ({ customKeyStoreId: CustomKeyStoreId }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'CustomKeyStoreNameInUseException',
    'LimitExceededException',
    'CloudHsmClusterNotFoundException',
    ...proxyErrors,
  ],
  check(input) {
    if (input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE') requireProxySettings(input)
    else requireClusterSettings(input)
  },
  async run(call, { store, clock, random, externalKeyStores, keyStoreSecrets }) {
    const { input, caller, region, commit, signal } = call
    call.aboutKeyStore({})
    const { accountId } = caller
    const settings = requireProxySettings(input)
    const { AccessKeyId: accessKeyId, RawSecretAccessKey } = settings.credential
    const ref = { accountId, region, storeId: newStoreId(random.bytes(9)) }
    const createdAt = clock.now()
    const { endpoint, path, connectivity, vpcServiceName } = settings
    const proxy: XksProxy = {
      endpoint,
      path,
      connectivity,
      ...(vpcServiceName !== undefined && {
        vpcServiceName,
        vpcServiceOwner: input.XksProxyVpcEndpointServiceOwner ?? accountId,
      }),
      accessKeyId,
      credentialSetAt: createdAt,
    }
    const requireFree = async (reads: Pick<typeof store, 'listKeyStores'>): Promise<void> => {
      const others = await reads.listKeyStores(accountId, region)
      requireFreeName(input.CustomKeyStoreName, others)
      requireFreeAddress(proxy, others)
      if (others.length < keyStoresMax) return
      throw new KmsError(
        'LimitExceededException',
        `Custom key stores quota for this account in this region is ${keyStoresMax}, ` +
          `current usage is ${others.length}.`,
      )
    }
    // Before the proxy is asked: an account must not use Trent to probe what it may not have.
    await requireFree(store)
    const wrapped = keyStoreSecrets.wrap(ref, accessKeyId, RawSecretAccessKey)
    if (connectivity === 'PUBLIC_ENDPOINT') {
      const address = keyStoreSecrets.addressOf({ ...ref, ...wrapped, proxy })
      await externalKeyStores.requireHealthy(address, call, signal)
    }
    return commit(async (transaction) => {
      await requireFree(transaction)
      await transaction.insertKeyStore({
        ...ref,
        ...wrapped,
        name: input.CustomKeyStoreName,
        type: 'EXTERNAL_KEY_STORE',
        connection: 'DISCONNECTED',
        createdAt,
        proxy,
      })
      return { CustomKeyStoreId: ref.storeId }
    })
  },
})

function newStoreId(bytes: Uint8Array): string {
  return `cks-${Buffer.from(bytes).toString('hex').slice(0, 17)}`
}

type Given = Input<typeof members>

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

/** No cluster can be named yet. @throws {KmsError} */
function requireClusterSettings(input: Given): never {
  refuseMembers(input, proxyMembers, 'AWS_CLOUDHSM')
  const missing = clusterMembers.find((name) => input[name] === undefined)
  if (missing !== undefined) {
    throw invalid(`${missing} is required for a custom key store of type AWS_CLOUDHSM.`)
  }
  throw new KmsError(
    'CloudHsmClusterNotFoundException',
    `AWS KMS cannot find the CloudHSM cluster ${input.CloudHsmClusterId}.`,
  )
}
