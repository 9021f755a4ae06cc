/** GetTestFaults — returns the faults that will still be injected. @module */
import type { Fault } from '../../throttle/faults.ts'
import { trentOperation } from './trent-operation.ts'

export interface TestFaults {
  readonly faults: readonly Fault[]
}

export const getTestFaults = trentOperation<TestFaults>()({
  name: 'GetTestFaults',
  door: 'test',
  input: {},
  permissions: () => [{ action: 'trent:GetTestFaults' }],
  readOnly: true,
  audit: [],
  throws: [],
  run: (_call, { server }) => Promise.resolve({ faults: server.faults.list() }),
})
