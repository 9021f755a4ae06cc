/**
 * ExplainAccess — `trent explain`: explains the decision on a call, made or imagined, and finds the
 * smallest change that would reverse it.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { list, required, stringMap, structure, text } from '../../model/shape.ts'
import type { AccessExplanation, CallExplanation } from '../contract/access-questions.ts'
import { trentOperation } from './trent-operation.ts'

export type ExplainedAccess = CallExplanation | { readonly now: AccessExplanation }

const contextMax = 100

export const explainAccess = trentOperation<ExplainedAccess>()({
  name: 'ExplainAccess',
  door: 'operator',
  input: {
    /** The request id of a recorded call; account and Region come from its record. */
    requestId: text({ min: 1, max: 128 }),
    accountId: text({ pattern: '^[0-9]{12}$' }),
    region: text({ min: 1, max: 64 }),
    caller: text({ min: 20, max: 2048 }),
    action: text({ min: 5, max: 128 }),
    key: text({ min: 1, max: 2048 }),
    encryptionContext: stringMap(),
    /** Condition keys of the imagined call. */
    context: list(
      structure({
        name: required(text({ min: 3, max: 256 })),
        values: required(list(text({ max: 2048 }), { max: 100 })),
      }),
      { max: contextMax },
    ),
    grantId: text({ min: 1, max: 128 }),
    via: text({ pattern: '^[a-z0-9-]{1,63}\\.amazonaws\\.com$' }),
  },
  permissions: () => [{ action: 'trent:ExplainAccess' }],
  readOnly: true,
  audit: ['requestId', 'accountId', 'region', 'caller', 'action', 'key', 'grantId', 'via'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'InvalidArnException',
    'InvalidGrantIdException',
    'NotFoundException',
  ],
  check({ requestId, caller, action, key }) {
    const asked = [caller, action, key]
    const whole = asked.every((each) => each !== undefined)
    const none = asked.every((each) => each === undefined)
    if (requestId === undefined ? whole : none) return
    const message = 'either a request id is needed, or a caller, an action and a key'
    throw new KmsError('ValidationException', message)
  },
  async run({ input, region: ownRegion, partition, signal }, { explanations }) {
    const { requestId, accountId, region = ownRegion } = input
    if (requestId !== undefined) {
      return explanations.call(requestId, { accountId, region, partition, signal })
    }
    const { caller = '', action = '', key = '', grantId, via, context = [] } = input
    const asked = {
      caller,
      action,
      key,
      encryptionContext: input.encryptionContext ?? {},
      context: Object.fromEntries(context.map(({ name, values }) => [name, values])),
      ...(grantId !== undefined && { grantId }),
      ...(via !== undefined && { via }),
    }
    return { now: await explanations.access(asked, { region, partition, signal }) }
  },
})
