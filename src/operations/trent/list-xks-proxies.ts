/** ListXksProxies — `trent xks-proxy list`: lists the XKS proxies that are served. @module */
import { servedPath, type ExternalUsage, type ProxyLimits } from '../../model/served-proxy.ts'
import type { ShownCredential } from './served-proxies.ts'
import { trentOperation } from './trent-operation.ts'

export interface ListedXksProxies {
  readonly proxies: readonly {
    readonly proxyId: string
    readonly name: string
    readonly accountId: string
    readonly region: string
    readonly uriPath: string
    /** ISO 8601, UTC. */
    readonly createdAt: string
    readonly limits?: ProxyLimits
    /** Oldest first. */
    readonly credentials: readonly ShownCredential[]
    readonly keys: readonly {
      readonly keyId: string
      readonly usages: readonly ExternalUsage[]
    }[]
  }[]
}

export const listXksProxies = trentOperation<ListedXksProxies>()({
  name: 'ListXksProxies',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:ListXksProxies' }],
  readOnly: true,
  audit: [],
  throws: ['AccessDeniedException'],
  async run(_call, { store }) {
    const proxies: ListedXksProxies['proxies'][number][] = []
    for (const proxy of await store.listServedProxies()) {
      const { proxyId, name, accountId, region, createdAt, limits } = proxy
      const credentials = await store.listProxyCredentials(proxy)
      const keys = await store.listExportedKeys(proxy)
      proxies.push({
        proxyId,
        name,
        accountId,
        region,
        uriPath: servedPath(proxy),
        createdAt: new Date(createdAt).toISOString(),
        ...(limits && { limits }),
        credentials: credentials.map((each) => ({
          accessKeyId: each.accessKeyId,
          createdAt: new Date(each.createdAt).toISOString(),
          ...(each.limits && { limits: each.limits }),
        })),
        keys: keys.map(({ keyId, usages }) => ({ keyId, usages })),
      })
    }
    return { proxies }
  },
})
