/** CancelRekey — `trent rekey --cancel`: deletes a new seal that is not in force yet. @module */
import { trentOperation } from './trent-operation.ts'

export const cancelRekey = trentOperation<object>()({
  name: 'CancelRekey',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:Rekey' }],
  readOnly: false,
  audit: [],
  throws: ['AccessDeniedException'],
  async run(_call, { server }) {
    await server.seal.cancel()
    return {}
  },
})
