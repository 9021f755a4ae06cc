/** The account of a call, which is there as long as anybody signs for it. @module */
import type { AccountRecord } from '../../model/access-key.ts'
import type { StoreReads } from '../../store/store.ts'

export async function requiredAccount(
  accountId: string,
  store: Pick<StoreReads, 'findAccount'>,
): Promise<AccountRecord> {
  const account = await store.findAccount(accountId)
  if (account === undefined) throw new Error(`the account ${accountId} of a caller is gone`)
  return account
}
