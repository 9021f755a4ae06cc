/** What those may do of what is Trent's own: operators, the test API, and services. @module */
import { compileDocument, type CompiledPolicy } from './compile.ts'

/**
 * The identity policy of an operator: all that is Trent's own. No AWS action: `authorize` gives those
 * to no operator, whatever a policy says.
 */
export const insiderPolicy: CompiledPolicy = allowing('Operator', ['trent:*'])

/** The same of a service. What it may with keys is for key policies and grants to say. */
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
