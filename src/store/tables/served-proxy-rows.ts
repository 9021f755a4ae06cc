/** The rows of the XKS proxies that Trent serves, their credentials and their keys. @module */
import type {
  ExportedKeyRecord,
  ProxyCredentialRecord,
  ServedProxyRecord,
  ServedProxyRef,
} from '../../model/served-proxy.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { exportedKeys, proxyCredentials, servedProxies } from '../schema/served-proxies.ts'
import { tableReads, tableWrites, type Changes } from './table-rows.ts'

type New<Rec> = Omit<Rec, 'rowVersion'>

export interface ServedProxyReads {
  findServedProxy(ref: ServedProxyRef): Promise<ServedProxyRecord | undefined>
  /** All proxies by id: operators create few. */
  listServedProxies(): Promise<readonly ServedProxyRecord[]>
  /** The credentials of a proxy, oldest first. */
  listProxyCredentials(of: ServedProxyRef): Promise<readonly ProxyCredentialRecord[]>
  findExportedKey(
    ref: Pick<ExportedKeyRecord, 'proxyId' | 'keyId'>,
  ): Promise<ExportedKeyRecord | undefined>
  /** The keys that a proxy exports, by key id. */
  listExportedKeys(of: ServedProxyRef): Promise<readonly ExportedKeyRecord[]>
}

export interface ServedProxyWrites {
  /** @throws {DuplicateRow} if the name is taken */
  insertServedProxy(proxy: New<ServedProxyRecord>): Promise<ServedProxyRecord>
  /** Deletes a proxy that has no credentials and no keys. @throws {StaleRow} */
  deleteServedProxy(proxy: ServedProxyRecord): Promise<void>
  insertProxyCredential(credential: New<ProxyCredentialRecord>): Promise<ProxyCredentialRecord>
  /** @throws {StaleRow} */
  deleteProxyCredential(credential: ProxyCredentialRecord): Promise<void>
  insertExportedKey(key: New<ExportedKeyRecord>): Promise<ExportedKeyRecord>
  /** @throws {StaleRow} */
  updateExportedKey(
    key: ExportedKeyRecord,
    changes: Changes<Pick<ExportedKeyRecord, 'usages'>>,
  ): Promise<ExportedKeyRecord>
  /** @throws {StaleRow} */
  deleteExportedKey(key: ExportedKeyRecord): Promise<void>
}

export function servedProxyReads(scope: RowScope): ServedProxyReads {
  const proxies = tableReads(servedProxies, scope)
  const credentials = tableReads(proxyCredentials, scope)
  const keys = tableReads(exportedKeys, scope)
  const { query } = scope
  return {
    findServedProxy: proxies.find,
    listServedProxies: async () =>
      proxies.acceptAll(
        await query.selectFrom('served_proxies').selectAll().orderBy('proxy_id').execute(),
      ),
    listProxyCredentials: async ({ proxyId }) =>
      credentials.acceptAll(
        await query
          .selectFrom('proxy_credentials')
          .selectAll()
          .where('proxy_id', '=', proxyId)
          .orderBy('created_at')
          .orderBy('access_key_id')
          .execute(),
      ),
    findExportedKey: keys.find,
    listExportedKeys: async ({ proxyId }) =>
      keys.acceptAll(
        await query
          .selectFrom('exported_keys')
          .selectAll()
          .where('proxy_id', '=', proxyId)
          .orderBy('key_id')
          .execute(),
      ),
  }
}

export function servedProxyWrites(scope: WriteScope): ServedProxyWrites {
  const proxies = tableWrites(servedProxies, scope)
  const credentials = tableWrites(proxyCredentials, scope)
  const keys = tableWrites(exportedKeys, scope)
  return {
    insertServedProxy: proxies.insert,
    deleteServedProxy: proxies.delete,
    insertProxyCredential: credentials.insert,
    deleteProxyCredential: credentials.delete,
    insertExportedKey: keys.insert,
    updateExportedKey: keys.update,
    deleteExportedKey: keys.delete,
  }
}
