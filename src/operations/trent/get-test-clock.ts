/** GetTestClock — reads the clock by which everything is stored and decided. @module */
import { insiderOperation } from './insider-operation.ts'

export interface ClockReading {
  /** ISO 8601, UTC. */
  readonly now: string
}

export const getTestClock = insiderOperation<ClockReading>()({
  name: 'GetTestClock',
  door: 'test',
  input: {},
  permissions: () => [{ action: 'trent:GetTestClock' }],
  readOnly: true,
  audit: [],
  throws: [],
  run: (_call, { clock }) => Promise.resolve({ now: new Date(clock.now()).toISOString() }),
})
