/** The policies of operators, the test API and services for Trent's own actions. @module */
import { compileDocument, type CompiledPolicy } from './compile.ts'

/**
 * The identity policy of an operator: all of Trent's own actions. `authorize` allows operators no AWS
 * action, whatever a policy says.
 */
export const internalPolicy: CompiledPolicy = allowing('Operator', ['trent:*'])

/** The identity policy of a service. Key policies and grants decide what it may do with keys. */
export const servicePolicy: CompiledPolicy = allowing('Service', [
  'trent:CreateForwardAccessSession',
  'trent:CreateInfrastructureSession',
])

function allowing(sid: string, actions: readonly string[]): CompiledPolicy {
  return compileDocument(
    {
      version: '2012-10-17',
      statements: [
        {
          sid,
          effect: 'Allow',
          actions: { negated: false, entries: actions },
          resources: { negated: false, entries: ['*'] },
          conditions: [],
        },
      ],
    },
    'identity',
  )
}
