/** The caller's account. It exists as long as anybody can sign for it. @module */
import type { AccountRecord } from '../../model/access-key.ts'
import type { StoreReads } from '../../store/store.ts'

export async function requiredAccount(
  accountId: string,
  store: Pick<StoreReads, 'findAccount'>,
): Promise<AccountRecord> {
  const account = await store.findAccount(accountId)
  if (account === undefined) throw new Error(`the caller's account ${accountId} does not exist`)
  return account
}
