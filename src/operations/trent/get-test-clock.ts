/** GetTestClock — returns the time of the clock that decisions and stored times use. @module */
import { trentOperation } from './trent-operation.ts'

export interface ClockReading {
  /** ISO 8601, UTC. */
  readonly now: string
}

export const getTestClock = trentOperation<ClockReading>()({
  name: 'GetTestClock',
  door: 'test',
  input: {},
  permissions: () => [{ action: 'trent:GetTestClock' }],
  readOnly: true,
  audit: [],
  throws: [],
  run: (_call, { clock }) => Promise.resolve({ now: new Date(clock.now()).toISOString() }),
})
