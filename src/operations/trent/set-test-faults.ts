/**
 * SetTestFaults — replaces the injected faults, which make KMS operations fail or delay their responses:
 * `{"faults": [{"operations": ["Decrypt"], "error": "ThrottlingException", "count": 2}]}`.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { integer, list, oneOf, required, structure, text } from '../../model/shape.ts'
import { faultErrors } from '../../throttle/faults.ts'
import { kmsRegistry } from '../kms/registry.ts'
import type { TestFaults } from './get-test-faults.ts'
import { trentOperation } from './trent-operation.ts'

/** Stands for every KMS operation. */
const all = '*'

const fault = structure({
  operations: required(list(text({ min: 1, max: 128 }), { min: 1, max: 100 })),
  error: oneOf(faultErrors),
  delayMs: integer({ min: 1, max: 60_000 }),
  count: integer({ min: 1, max: 1_000_000 }),
})

export const setTestFaults = trentOperation<TestFaults>()({
  name: 'SetTestFaults',
  door: 'test',
  input: { faults: required(list(fault, { max: 100 })) },
  permissions: () => [{ action: 'trent:SetTestFaults' }],
  readOnly: false,
  audit: ['faults'],
  throws: ['ValidationException'],
  check({ faults }) {
    for (const { operations, error, delayMs } of faults) {
      const unknown = operations.find((name) => name !== all && !kmsRegistry.has(`kms:${name}`))
      if (unknown !== undefined) {
        throw new KmsError('ValidationException', `\`${unknown}\` is not a KMS operation`)
      }
      if (error !== undefined || delayMs !== undefined) continue
      throw new KmsError('ValidationException', 'a fault has an `error`, a `delayMs` or both')
    }
  },
  run({ input }, { server }) {
    server.faults.replace(input.faults)
    return Promise.resolve({ faults: server.faults.list() })
  },
})
