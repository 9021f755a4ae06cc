/** The rows of OpenID Connect providers. @module */
import type { OidcProviderRecord, OidcProviderRef } from '../../model/oidc-provider.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { oidcProviders } from '../schema/identities.ts'
import { tableReads, tableWrites } from './table-rows.ts'

export interface OidcProviderReads {
  findOidcProvider(ref: OidcProviderRef): Promise<OidcProviderRecord | undefined>
  /** All providers of an account by name: IAM does not page them. */
  listOidcProviders(accountId: string): Promise<readonly OidcProviderRecord[]>
}

export interface OidcProviderWrites {
  /** @throws {DuplicateRow} */
  insertOidcProvider(provider: Omit<OidcProviderRecord, 'rowVersion'>): Promise<OidcProviderRecord>
  /** @throws {StaleRow} */
  updateOidcProvider(
    provider: OidcProviderRecord,
    changes: Partial<Pick<OidcProviderRecord, 'clientIds' | 'thumbprints' | 'tags'>>,
  ): Promise<OidcProviderRecord>
  /** @throws {StaleRow} */
  deleteOidcProvider(provider: OidcProviderRecord): Promise<void>
}

export function oidcProviderReads(scope: RowScope): OidcProviderReads {
  const { find, acceptAll } = tableReads(oidcProviders, scope)
  return {
    findOidcProvider: find,
    async listOidcProviders(accountId) {
      const found = await scope.query
        .selectFrom('oidc_providers')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('name')
        .execute()
      return acceptAll(found)
    },
  }
}

export function oidcProviderWrites(scope: WriteScope): OidcProviderWrites {
  const writes = tableWrites(oidcProviders, scope)
  return {
    insertOidcProvider: writes.insert,
    updateOidcProvider: writes.update,
    deleteOidcProvider: writes.delete,
  }
}
