/** AcceptClock — `trent clock accept`: confirms that the system clock is right after a leap. @module */
import { trentOperation } from './trent-operation.ts'

export const acceptClock = trentOperation<{ readonly now: string; readonly held?: string }>()({
  name: 'AcceptClock',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:AcceptClock' }],
  readOnly: false,
  audit: [],
  auditResponse: ({ now }) => ({ now }),
  throws: ['AccessDeniedException'],
  async run(_call, { clock, server }) {
    const held = await server.acceptClock()
    return { now: new Date(clock.now()).toISOString(), ...(held !== undefined && { held }) }
  },
})
