/** ListAccounts — what `trent account list` prints, page by page. @module */
import { integer, text } from '../../model/shape.ts'
import { insiderOperation } from './insider-operation.ts'

export interface AccountsPage {
  readonly accounts: readonly {
    readonly accountId: string
    readonly alias?: string
    /** ISO 8601, UTC. */
    readonly createdAt: string
  }[]
  /** Where the next page begins; absent in the last. */
  readonly after?: string
}

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
    const accounts = found.slice(0, limit).map(({ accountId, alias, createdAt }) => ({
      accountId,
      ...(alias !== undefined && { alias }),
      createdAt: new Date(createdAt).toISOString(),
    }))
    const last = accounts.at(-1)
    return { accounts, ...(found.length > limit && last && { after: last.accountId }) }
  },
})
