/**
 * ResetTestData — empties the store except the first account and its root credentials, and removes faults.
 * @module
 */
import { trentOperation } from './trent-operation.ts'

export const resetTestData = trentOperation<undefined>()({
  name: 'ResetTestData',
  door: 'test',
  input: {},
  permissions: () => [{ action: 'trent:ResetTestData' }],
  readOnly: false,
  audit: [],
  throws: [],
  async run({ commit }, { server }) {
    server.faults.replace([])
    await commit(async (transaction) => {
      await transaction.empty(server.firstAccount)
      // The first start creates the account without an organization.
      const account = await transaction.findAccount(server.firstAccount.accountId)
      if (account?.organization === undefined) return
      await transaction.updateAccount(account, { organization: undefined })
    })
    return undefined
  },
})
