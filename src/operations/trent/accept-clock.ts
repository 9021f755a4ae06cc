/** AcceptClock — what `trent clock accept` calls: the system's clock is right as it is. @module */
import { insiderOperation } from './insider-operation.ts'

export const acceptClock = insiderOperation<{ readonly now: string; readonly held?: string }>()({
  name: 'AcceptClock',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:AcceptClock' }],
  readOnly: false,
  audit: [],
  auditResponse: ({ now }) => ({ now }),
  throws: ['AccessDeniedException'],
  async run(_call, { clock, server }) {
    await server.acceptClock()
    return { now: new Date(clock.now()).toISOString() }
  },
})
