/**
 * The client of an XKS proxy that Trent serves: the path names the proxy, and the signature proves one of its
 * credentials.
 * @module
 */
import type { CachedProxyCredential, CachedServedProxy, Lookup } from '../cache/cached-records.ts'
import { KmsError } from '../errors.ts'
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { RegionTable } from '../model/region.ts'
import type { RawRequest } from '../wire/request.ts'
import { noSuchPath, readXksPath } from '../wire/xks-proxy.ts'
import type { Credential } from './credential.ts'
import { authenticate, type SigningKeys } from './signature-v4.ts'

export interface XksClientDependencies {
  readonly lookup: Pick<Lookup, 'refresh' | 'servedProxy'>
  readonly signingKeys: SigningKeys
  readonly regions: RegionTable
}

/**
 * @param systemNow milliseconds since the epoch
 * @throws {KmsError} `UnknownOperationException` for a path of no proxy, even if it is well signed; otherwise
 *   like `authenticate`
 */
export function identifyXksClient(
  request: RawRequest,
  systemNow: number,
  { lookup, signingKeys, regions }: XksClientDependencies,
): Awaitable<readonly [Caller, RequestScope]> {
  const { proxyId } = readXksPath(request)
  const found = andThen(lookup.refresh(), () => lookup.servedProxy(proxyId))
  return andThen(found, (proxy) => {
    if (proxy === undefined) throw noSuchPath()
    const { accountId, region } = proxy.record
    const partition = regions.partitionOf(region) ?? 'aws'
    const expected = {
      service: 'kms-xks-proxy',
      // The scope has the Region of the client, which may be one of AWS's that this server does not have.
      regions: { names: [], partitionOf: () => partition },
      systemNow,
    }
    const find = (accessKeyId: string, token: string | undefined): Credential | undefined =>
      token === undefined ? credentialOf(accessKeyId, proxy) : undefined
    return andThen(authenticate(request, expected, find, signingKeys), ({ caller }) => {
      if (caller.kind !== 'xks-client') throw new KmsError('UnrecognizedClientException')
      return [caller, { accountId, region, partition }] as const
    })
  })
}

/** One object for each credential: what is cached of a caller hangs on it. */
const credentials = new WeakMap<CachedProxyCredential, Credential>()

function credentialOf(
  accessKeyId: string,
  { record, credentials: known }: CachedServedProxy,
): Credential | undefined {
  const found = known.get(accessKeyId)
  if (found === undefined) return undefined
  const before = credentials.get(found)
  if (before !== undefined) return before
  const made: Credential = {
    accessKeyId,
    accountId: record.accountId,
    principalKind: 'xks-client',
    principalId: record.proxyId,
    proxy: record,
    status: 'Active',
    signingSecret: found.signingSecret,
  }
  credentials.set(found, made)
  return made
}
