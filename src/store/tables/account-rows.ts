/** The rows of accounts and access keys. @module */
import type { AccessKeyRecord, AccountRecord } from '../../model/access-key.ts'
import type { Organization } from '../../model/organization.ts'
import { acceptedPage } from '../bound-rows.ts'
import { noRow } from '../change.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { AccessKeysTable } from '../schema/schema.ts'
import type { AccountsTable } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<
  StoreReads,
  'findAccount' | 'listAccounts' | 'findAccessKey' | 'listAccessKeys' | 'listAccessKeysOf'
>
type Writes = Pick<
  Transaction,
  'insertAccount' | 'updateAccount' | 'insertAccessKey' | 'updateAccessKey' | 'deleteAccessKey'
>

export function accountReads({ query, rows }: RowScope): Reads {
  const genuineKeys = (found: readonly AccessKeysTable[]): readonly AccessKeyRecord[] =>
    found.flatMap((each) => {
      const row = rows.genuine('access_keys', [each.access_key_id], each)
      return row === undefined ? [] : [accessKeyOf(row)]
    })
  return {
    async findAccount(accountId): Promise<AccountRecord | undefined> {
      const found = await query
        .selectFrom('accounts')
        .selectAll()
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      const row = rows.genuine('accounts', [accountId], found)
      return row && accountOf(row)
    },
    listAccounts(page) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly AccountsTable[]> =>
        query
          .selectFrom('accounts')
          .selectAll()
          .$if(after !== undefined, (some) => some.where('account_id', '>', after ?? ''))
          .orderBy('account_id')
          .limit(limit)
          .execute()
      return acceptedPage(
        page,
        fetch,
        (row) => row.account_id,
        (found) => {
          const row = rows.genuine('accounts', [found.account_id], found)
          return row && accountOf(row)
        },
      )
    },
    async findAccessKey(accessKeyId) {
      const found = await query
        .selectFrom('access_keys')
        .selectAll()
        .where('access_key_id', '=', accessKeyId)
        .executeTakeFirst()
      const row = rows.genuine('access_keys', [accessKeyId], found)
      return row && accessKeyOf(row)
    },
    async listAccessKeys(accountId) {
      const found = await query
        .selectFrom('access_keys')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('access_key_id')
        .execute()
      return genuineKeys(found)
    },
    async listAccessKeysOf(principalId) {
      const found = await query
        .selectFrom('access_keys')
        .selectAll()
        .where('principal_id', '=', principalId)
        .orderBy('access_key_id')
        .execute()
      return genuineKeys(found)
    },
  }
}

export function accountWrites({ query, rows, touch }: WriteScope): Writes {
  return {
    async insertAccount(account) {
      const { accountId } = account
      const columns = accountColumns({ ...account, rowVersion: 1 })
      await query.insertInto('accounts').values(rows.seal('accounts', columns)).execute()
      touch({ kind: 'account', accountId, region: '', id: accountId }, 1)
    },
    async updateAccount(account, changes) {
      const { accountId, createdAt, rowVersion } = account
      const { alias, organization } = { ...account, ...changes }
      const updated = {
        accountId,
        ...(alias !== undefined && { alias }),
        ...(organization !== undefined && { organization }),
        createdAt,
        rowVersion: rowVersion + 1,
      }
      const { numUpdatedRows } = await query
        .updateTable('accounts')
        .set(rows.seal('accounts', accountColumns(updated)))
        .where('account_id', '=', accountId)
        .where('row_version', '=', rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw new StaleRow(`account ${accountId}`)
      touch({ kind: 'account', accountId, region: '', id: accountId }, updated.rowVersion)
      return updated
    },
    async insertAccessKey(accessKey) {
      const columns = columnsOf({ ...accessKey, rowVersion: 1 })
      await query.insertInto('access_keys').values(rows.seal('access_keys', columns)).execute()
      const { accountId, accessKeyId } = accessKey
      touch({ kind: 'access-key', accountId, region: '', id: accessKeyId }, 1)
    },
    async updateAccessKey(accessKey, { status }) {
      const { accountId, accessKeyId } = accessKey
      const updated = { ...accessKey, status, rowVersion: accessKey.rowVersion + 1 }
      const { numUpdatedRows } = await query
        .updateTable('access_keys')
        .set(rows.seal('access_keys', columnsOf(updated)))
        .where('access_key_id', '=', accessKeyId)
        .where('row_version', '=', accessKey.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw new StaleRow(`access key ${accessKeyId}`)
      touch({ kind: 'access-key', accountId, region: '', id: accessKeyId }, updated.rowVersion)
      return updated
    },
    async deleteAccessKey({ accountId, accessKeyId, rowVersion }) {
      const { numDeletedRows } = await query
        .deleteFrom('access_keys')
        .where('access_key_id', '=', accessKeyId)
        .where('row_version', '=', rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`access key ${accessKeyId}`)
      touch({ kind: 'access-key', accountId, region: '', id: accessKeyId }, noRow)
    },
  }
}

function accountColumns(account: AccountRecord): Omit<AccountsTable, 'row_tag'> {
  return {
    account_id: account.accountId,
    alias: account.alias ?? null,
    ...organizationColumns(account.organization),
    created_at: account.createdAt,
    row_version: account.rowVersion,
  }
}

function accountOf(row: AccountsTable): AccountRecord {
  return {
    accountId: row.account_id,
    ...(row.alias !== null && { alias: row.alias }),
    ...organizationOf(row),
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}

type OrganizationColumns = Pick<
  AccountsTable,
  'organization_id' | 'organization_unit' | 'service_control_policies' | 'resource_control_policies'
>

function organizationColumns(organization: AccountRecord['organization']): OrganizationColumns {
  const listed = (policies: Organization[keyof Organization] | undefined): string | null =>
    policies === undefined ? null : JSON.stringify(policies)
  return {
    organization_id: organization?.organizationId ?? null,
    organization_unit: organization?.unit ?? null,
    service_control_policies: listed(organization?.serviceControlPolicies),
    resource_control_policies: listed(organization?.resourceControlPolicies),
  }
}

/** The JSON is valid: `organizationColumns` wrote every row that has a valid tag. */
function organizationOf(row: OrganizationColumns): Pick<AccountRecord, 'organization'> {
  const { organization_id: organizationId, organization_unit: unit } = row
  if (organizationId === null) return {}
  const organization = {
    organizationId,
    ...(unit !== null && { unit }),
    serviceControlPolicies: JSON.parse(row.service_control_policies ?? '[]') as string[][],
    resourceControlPolicies: JSON.parse(row.resource_control_policies ?? '[]') as string[],
  }
  return { organization }
}

function columnsOf(accessKey: AccessKeyRecord): Omit<AccessKeysTable, 'row_tag'> {
  return {
    access_key_id: accessKey.accessKeyId,
    account_id: accessKey.accountId,
    principal_kind: accessKey.principalKind,
    principal_id: accessKey.principalId,
    status: accessKey.status,
    wrapping_version: accessKey.wrappingVersion,
    wrapped_secret: accessKey.wrappedSecret,
    created_at: accessKey.createdAt,
    row_version: accessKey.rowVersion,
  }
}

/** The values are valid: `columnsOf` wrote every row that has a valid tag. */
export function accessKeyOf(row: AccessKeysTable): AccessKeyRecord {
  return {
    accessKeyId: row.access_key_id,
    accountId: row.account_id,
    principalKind: row.principal_kind as AccessKeyRecord['principalKind'],
    principalId: row.principal_id,
    status: row.status as AccessKeyRecord['status'],
    wrappingVersion: row.wrapping_version,
    wrappedSecret: row.wrapped_secret,
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}
