/**
 * ExplainOwnCall — `POST /_trent/explain`: explains the decision on a recorded call of the caller's account.
 * The console asks it with the credentials of its user.
 * @see docs/why-refused.md
 * @module
 */
import { required, text } from '../../model/shape.ts'
import type { CallExplanation } from '../contract/access-questions.ts'
import { readsIdentities } from './own-access-permissions.ts'
import { trentOperation } from './trent-operation.ts'

export const explainOwnCall = trentOperation<CallExplanation>()({
  name: 'ExplainOwnCall',
  door: 'signed',
  input: { requestId: required(text({ min: 1, max: 128 })) },
  permissions: () => [{ action: 'console:ExplainOwnCall' }, readsIdentities],
  readOnly: true,
  audit: ['requestId'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'ThrottlingException',
  ],
  run({ input: { requestId }, caller, region, partition, signal }, { explanations }) {
    const { accountId } = caller
    return explanations.own.call(requestId, { accountId, region, partition, signal })
  },
})
