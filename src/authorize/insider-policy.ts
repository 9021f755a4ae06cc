/** What those may do who come through the operator door or the test API. @module */
import { compileDocument, type CompiledPolicy } from './compile.ts'

/**
 * The identity policy of an operator: all that is Trent's own. No AWS action: `authorize` gives those
 * to no operator, whatever a policy says.
 */
export const insiderPolicy: CompiledPolicy = compileDocument(
  {
    version: '2012-10-17',
    statements: [
      {
        sid: 'Operator',
        effect: 'Allow',
        actions: { negated: false, entries: ['trent:*'] },
        resources: { negated: false, entries: ['*'] },
        conditions: [],
      },
    ],
  },
  'identity',
)
