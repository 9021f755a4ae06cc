/** The rows of accounts and access keys. @module */
import type { AccessKeyRecord, AccountRecord } from '../../model/access-key.ts'
import type { Organization } from '../../model/organization.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { accessKeys, accounts } from '../schema/accounts.ts'
import { tableReads, tableWrites } from './table-rows.ts'

export interface AccountReads {
  findAccount(accountId: string): Promise<AccountRecord | undefined>
  /** Accounts, ordered by id. */
  listAccounts(page: Page): Promise<readonly AccountRecord[]>
  findAccessKey(accessKeyId: string): Promise<AccessKeyRecord | undefined>
  /** An account's access keys, ordered by id. */
  listAccessKeys(accountId: string): Promise<readonly AccessKeyRecord[]>
  /** A principal's access keys, ordered by id. */
  listAccessKeysOf(principalId: string): Promise<readonly AccessKeyRecord[]>
}

export interface AccountWrites {
  insertAccount(account: Omit<AccountRecord, 'rowVersion'>): Promise<AccountRecord>
  /**
   * `undefined` clears a member.
   * @throws {StaleRow}
   * @throws {DuplicateRow} if another account has the alias
   */
  updateAccount(
    account: AccountRecord,
    changes: {
      readonly alias?: string | undefined
      readonly organization?: Organization | undefined
    },
  ): Promise<AccountRecord>
  /** @throws {DuplicateRow} */
  insertAccessKey(accessKey: Omit<AccessKeyRecord, 'rowVersion'>): Promise<AccessKeyRecord>
  /** @throws {StaleRow} */
  updateAccessKey(
    accessKey: AccessKeyRecord,
    changes: { readonly status: AccessKeyRecord['status'] },
  ): Promise<AccessKeyRecord>
  /** @throws {StaleRow} */
  deleteAccessKey(accessKey: AccessKeyRecord): Promise<void>
}

export function accountReads(scope: RowScope): AccountReads {
  const { query } = scope
  const { find, page: pageOf } = tableReads(accounts, scope)
  const ofKeys = tableReads(accessKeys, scope)
  const allKeys = () => query.selectFrom('access_keys').selectAll().orderBy('access_key_id')
  return {
    findAccount: (accountId) => find({ accountId }),
    listAccounts: (page) =>
      pageOf(
        page,
        (after, limit) =>
          query
            .selectFrom('accounts')
            .selectAll()
            .$if(after !== undefined, (some) => some.where('account_id', '>', after ?? ''))
            .orderBy('account_id')
            .limit(limit)
            .execute(),
        (row) => row.account_id,
      ),
    findAccessKey: (accessKeyId) => ofKeys.find({ accessKeyId }),
    listAccessKeys: async (accountId) =>
      ofKeys.acceptAll(await allKeys().where('account_id', '=', accountId).execute()),
    listAccessKeysOf: async (principalId) =>
      ofKeys.acceptAll(await allKeys().where('principal_id', '=', principalId).execute()),
  }
}

export function accountWrites(scope: WriteScope): AccountWrites {
  const { insert, update } = tableWrites(accounts, scope)
  const ofKeys = tableWrites(accessKeys, scope)
  return {
    insertAccount: insert,
    updateAccount: update,
    insertAccessKey: ofKeys.insert,
    updateAccessKey: ofKeys.update,
    deleteAccessKey: ofKeys.delete,
  }
}
