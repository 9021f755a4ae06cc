/** The rows of OpenID Connect providers. @module */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { OidcProviderRecord, OidcProviderRef } from '../../model/oidc-provider.ts'
import { noRow } from '../change.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { OidcProvidersTable, Schema } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<StoreReads, 'findOidcProvider' | 'listOidcProviders'>
type Writes = Pick<Transaction, 'insertOidcProvider' | 'updateOidcProvider' | 'deleteOidcProvider'>

export function oidcProviderReads({ query, rows }: RowScope): Reads {
  const accept = (found: OidcProvidersTable | undefined): OidcProviderRecord | undefined => {
    const primaryKey = found === undefined ? [] : [found.account_id, found.name]
    const row = rows.genuine('oidc_providers', primaryKey, found)
    return row && recordOf(row)
  }
  return {
    async findOidcProvider(ref) {
      const found = await query
        .selectFrom('oidc_providers')
        .selectAll()
        .where((row) => isProvider(row, ref))
        .executeTakeFirst()
      return accept(found)
    },
    async listOidcProviders(accountId) {
      const found = await query
        .selectFrom('oidc_providers')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('name')
        .execute()
      return found.flatMap((row) => accept(row) ?? [])
    },
  }
}

export function oidcProviderWrites({ query, rows, touch }: WriteScope): Writes {
  const touched = ({ accountId, name: id }: OidcProviderRef, rowVersion: number): void =>
    touch({ kind: 'oidc-provider', accountId, region: '', id }, rowVersion)
  return {
    async insertOidcProvider(provider) {
      const columns = columnsOf({ ...provider, rowVersion: 1 })
      await query
        .insertInto('oidc_providers')
        .values(rows.seal('oidc_providers', columns))
        .execute()
      touched(provider, 1)
    },
    async updateOidcProvider(provider, changes) {
      const changed = { ...provider, ...changes, rowVersion: provider.rowVersion + 1 }
      const { numUpdatedRows } = await query
        .updateTable('oidc_providers')
        .set(rows.seal('oidc_providers', columnsOf(changed)))
        .where((row) => isProvider(row, provider))
        .where('row_version', '=', provider.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw new StaleRow(`OIDC provider ${provider.name}`)
      touched(provider, changed.rowVersion)
    },
    async deleteOidcProvider(provider) {
      const { numDeletedRows } = await query
        .deleteFrom('oidc_providers')
        .where((row) => isProvider(row, provider))
        .where('row_version', '=', provider.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`OIDC provider ${provider.name}`)
      touched(provider, noRow)
    },
  }
}

function isProvider(
  row: ExpressionBuilder<Schema, 'oidc_providers'>,
  { accountId, name }: OidcProviderRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, name })
}

function columnsOf(provider: OidcProviderRecord): Omit<OidcProvidersTable, 'row_tag'> {
  return {
    account_id: provider.accountId,
    name: provider.name,
    url: provider.url,
    client_ids: JSON.stringify(provider.clientIds),
    thumbprints: JSON.stringify(provider.thumbprints),
    tags: JSON.stringify(provider.tags),
    created_at: provider.createdAt,
    row_version: provider.rowVersion,
  }
}

/** The JSON is valid: `columnsOf` wrote every row that has a valid tag. */
function recordOf(row: OidcProvidersTable): OidcProviderRecord {
  return {
    accountId: row.account_id,
    name: row.name,
    url: row.url,
    clientIds: JSON.parse(row.client_ids) as OidcProviderRecord['clientIds'],
    thumbprints: JSON.parse(row.thumbprints) as OidcProviderRecord['thumbprints'],
    tags: JSON.parse(row.tags) as OidcProviderRecord['tags'],
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}
