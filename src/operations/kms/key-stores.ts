/**
 * What the operations on custom key stores share: how they find a store, which addresses of proxies must
 * be unique, and AWS's errors.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
 * @module
 */
import { KmsError } from '../../errors.ts'
import type { CustomKeyStoreRecord, XksProxy } from '../../model/custom-key-store.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'

type StoreCall = Pick<Call<unknown, never>, 'caller' | 'region'>

/** @throws {KmsError} `CustomKeyStoreNotFoundException` */
export async function requireKeyStore(
  reads: Pick<StoreReads, 'findKeyStore'>,
  { caller: { accountId }, region }: StoreCall,
  storeId: string,
): Promise<CustomKeyStoreRecord> {
  const found = await reads.findKeyStore({ accountId, region, storeId })
  if (found === undefined) throw notFound(storeId)
  return found
}

export function notFound(named: string): KmsError {
  return new KmsError(
    'CustomKeyStoreNotFoundException',
    `Custom key store ${named} does not exist.`,
  )
}

/** AWS's error for a state of connection in which the operation is not possible. */
export function wrongState({ storeId, connection }: CustomKeyStoreRecord): KmsError {
  return new KmsError(
    'CustomKeyStoreInvalidStateException',
    `Custom key store ${storeId} is ${connection.toLowerCase()}, which is not valid for this operation.`,
  )
}

/** @throws {KmsError} `CustomKeyStoreNameInUseException` */
export function requireFreeName(name: string, others: readonly CustomKeyStoreRecord[]): void {
  if (others.every((other) => other.name !== name)) return
  throw new KmsError(
    'CustomKeyStoreNameInUseException',
    `A custom key store with the name ${name} already exists.`,
  )
}

/**
 * Checks that no other external key store of the account and Region has the address of this one. AWS
 * compares them over all its customers of a Region; Trent keeps accounts apart.
 * @throws {KmsError} `XksProxyUriInUseException`, `XksProxyUriEndpointInUseException`,
 *   `XksProxyVpcEndpointServiceInUseException`
 */
export function requireFreeAddress(
  proxy: Pick<XksProxy, 'endpoint' | 'path' | 'connectivity' | 'vpcServiceName'>,
  others: readonly CustomKeyStoreRecord[],
): void {
  const { endpoint, path, connectivity, vpcServiceName } = proxy
  for (const { proxy: other } of others) {
    if (other === undefined) continue
    if (vpcServiceName !== undefined && other.vpcServiceName === vpcServiceName) {
      throw new KmsError(
        'XksProxyVpcEndpointServiceInUseException',
        `${vpcServiceName} is already associated with another external key store.`,
      )
    }
    if (hostOf(other.endpoint) !== hostOf(endpoint)) continue
    if (other.path === path && other.connectivity === connectivity) {
      throw new KmsError(
        'XksProxyUriInUseException',
        `${endpoint}${path} is already associated with another external key store.`,
      )
    }
    if (connectivity === 'VPC_ENDPOINT_SERVICE' || other.connectivity !== connectivity) {
      throw new KmsError(
        'XksProxyUriEndpointInUseException',
        `${endpoint} is already associated with another external key store.`,
      )
    }
  }
}

/** What the address of a proxy can be refused for, and then the proxy itself. */
export const proxyErrors = [
  'XksProxyUriInUseException',
  'XksProxyUriEndpointInUseException',
  'XksProxyVpcEndpointServiceInUseException',
  'XksProxyVpcEndpointServiceNotFoundException',
  'XksProxyIncorrectAuthenticationCredentialException',
  'XksProxyInvalidConfigurationException',
  'XksProxyInvalidResponseException',
  'XksProxyUriUnreachableException',
] as const

/** Names of hosts have no case, and may end with a dot. */
function hostOf(endpoint: string): string {
  return endpoint.toLowerCase().replace(/\.$/, '')
}

/** Refuses members that belong to the other type of key store. @throws {KmsError} `ValidationException` */
export function refuseMembers(
  input: Readonly<Record<string, unknown>>,
  members: readonly string[],
  type: CustomKeyStoreRecord['type'],
): void {
  const refused = members.find((name) => input[name] !== undefined)
  if (refused === undefined) return
  throw invalid(`${refused} is not valid for a custom key store of type ${type}.`)
}

export const proxyMembers = [
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyVpcEndpointServiceName',
  'XksProxyVpcEndpointServiceOwner',
  'XksProxyAuthenticationCredential',
  'XksProxyConnectivity',
] as const

export const clusterMembers = [
  'CloudHsmClusterId',
  'KeyStorePassword',
  'TrustAnchorCertificate',
] as const

export function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

/** The version of the proxy API that Trent speaks. @throws {KmsError} `ValidationException` */
export function requirePath(path: string): void {
  if (path.endsWith('/kms/xks/v1')) return
  throw invalid('XksProxyUriPath must end with /kms/xks/v1.')
}
