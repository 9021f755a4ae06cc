/** ResetTestData — empties the store but for the account and its root credentials. @module */
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
    await commit((transaction) => transaction.empty(server.firstAccount))
    return undefined
  },
})
