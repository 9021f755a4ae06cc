/**
 * SealServer — `trent seal`: ends the process that holds the keys. A supervisor starts it again, sealed.
 * @module
 */
import { trentOperation } from './trent-operation.ts'

export interface SealedServer {
  /** Whether the next start opens the seal without people. */
  readonly opensAlone: boolean
}

export const sealServer = trentOperation<SealedServer>()({
  name: 'SealServer',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:SealServer' }],
  readOnly: false,
  audit: [],
  throws: ['AccessDeniedException'],
  async run(_call, { server }) {
    const { opensAlone } = await server.seal.status()
    server.seal.end()
    return { opensAlone }
  },
})
