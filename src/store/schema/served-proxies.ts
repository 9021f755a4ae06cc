/** The tables of the XKS proxies that Trent serves. A change of any of them names the proxy first. @module */
import type {
  ExportedKeyRecord,
  ProxyCredentialRecord,
  ServedProxyRecord,
} from '../../model/served-proxy.ts'
import { accounts } from './accounts.ts'
import { bytes, json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

export const servedProxies = tableOf<ServedProxyRecord>()({
  name: 'served_proxies',
  columns: {
    proxy_id: text('proxyId'),
    account_id: text('accountId'),
    region: text('region'),
    name: text('name'),
    limits: optional(json('limits')),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['proxy_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'served_proxies_by_name', columns: ['account_id', 'region', 'name'], unique: true },
  ],
  change: { kind: 'served-proxy', account: 'account_id', region: 'region', id: ['proxy_id'] },
  emptied: true,
})

export const proxyCredentials = tableOf<ProxyCredentialRecord>()({
  name: 'proxy_credentials',
  columns: {
    access_key_id: text('accessKeyId'),
    proxy_id: text('proxyId'),
    account_id: text('accountId'),
    region: text('region'),
    limits: optional(json('limits')),
    created_at: number('createdAt'),
    wrapped_secret: bytes('wrappedSecret'),
    wrapping_version: number('wrappingVersion'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['access_key_id'],
  references: [{ columns: ['proxy_id'], to: servedProxies }],
  indexes: [{ name: 'proxy_credentials_by_proxy', columns: ['proxy_id', 'access_key_id'] }],
  change: {
    kind: 'proxy-credential',
    account: 'account_id',
    region: 'region',
    id: ['proxy_id', 'access_key_id'],
  },
  emptied: true,
})

export const exportedKeys = tableOf<ExportedKeyRecord>()({
  name: 'exported_keys',
  columns: {
    proxy_id: text('proxyId'),
    key_id: text('keyId'),
    account_id: text('accountId'),
    region: text('region'),
    usages: json('usages'),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['proxy_id', 'key_id'],
  references: [{ columns: ['proxy_id'], to: servedProxies }],
  change: {
    kind: 'exported-key',
    account: 'account_id',
    region: 'region',
    id: ['proxy_id', 'key_id'],
  },
  emptied: true,
})
