/** GetTestFaults — tells which faults are still to strike. @module */
import type { Fault } from '../../throttle/faults.ts'
import { insiderOperation } from './insider-operation.ts'

export interface TestFaults {
  readonly faults: readonly Fault[]
}

export const getTestFaults = insiderOperation<TestFaults>()({
  name: 'GetTestFaults',
  door: 'test',
  input: {},
  permissions: () => [{ action: 'trent:GetTestFaults' }],
  readOnly: true,
  audit: [],
  throws: [],
  run: (_call, { server }) => Promise.resolve({ faults: server.faults.list() }),
})
