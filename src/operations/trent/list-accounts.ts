/** ListAccounts — `trent account list`: lists the accounts, in pages. @module */
import { integer, text } from '../../model/shape.ts'
import { trentOperation } from './trent-operation.ts'
import { shownAccount, type ShownAccount } from './shown-account.ts'

export interface AccountsPage {
  readonly accounts: readonly ShownAccount[]
  /** Marker of the next page; absent on the last page. */
  readonly after?: string
}

/** A page ends after the account that exceeds this sum of policy characters, to bound the response. */
const policyCharactersMax = 512 * 1024

export const listAccounts = trentOperation<AccountsPage>()({
  name: 'ListAccounts',
  door: 'operator',
  input: { after: text({ pattern: '^[0-9]{12}$' }), limit: integer({ min: 1, max: 1000 }) },
  permissions: () => [{ action: 'trent:ListAccounts' }],
  readOnly: true,
  audit: ['after', 'limit'],
  throws: ['ValidationException', 'AccessDeniedException'],
  async run({ input: { after, limit = 1000 } }, { store }) {
    const found = await store.listAccounts({
      limit: limit + 1,
      ...(after !== undefined && { after }),
    })
    let characters = 0
    const accounts: ShownAccount[] = []
    for (const account of found.slice(0, limit)) {
      if (characters > policyCharactersMax) break
      characters += JSON.stringify(account.organization ?? '').length
      accounts.push(shownAccount(account))
    }
    const last = accounts.at(-1)
    return { accounts, ...(found.length > accounts.length && last && { after: last.accountId }) }
  },
})
