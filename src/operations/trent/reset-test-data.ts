/** ResetTestData — empties the store but for the account and its root credentials, ends faults. @module */
import { insiderOperation } from './insider-operation.ts'

export const resetTestData = insiderOperation<undefined>()({
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
      // An organisation is no part of the account that the first start made.
      const account = await transaction.findAccount(server.firstAccount.accountId)
      if (account?.organization === undefined) return
      await transaction.updateAccount(account, { organization: undefined })
    })
    return undefined
  },
})
