/** ListAccounts — what `trent account list` prints, page by page. @module */
import { integer, text } from '../../model/shape.ts'
import { insiderOperation } from './insider-operation.ts'
import { shownAccount, type ShownAccount } from './shown-account.ts'

export interface AccountsPage {
  readonly accounts: readonly ShownAccount[]
  /** Where the next page begins; absent in the last. */
  readonly after?: string
}

/** Of policies in one page, beside the account that goes beyond it: an answer has its limit. */
const policyCharactersMax = 512 * 1024

export const listAccounts = insiderOperation<AccountsPage>()({
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
