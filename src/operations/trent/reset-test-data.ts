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
    await commit((transaction) => transaction.empty(server.firstAccount))
    return undefined
  },
})
