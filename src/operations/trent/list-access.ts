/**
 * ListAccess — `trent who-can`: lists the users, roles and root users of all accounts that can use a key,
 * with the allowed actions and what allows them.
 * @module
 */
import { required, text } from '../../model/shape.ts'
import type { WhoCanPage } from '../contract/access-questions.ts'
import { trentOperation } from './trent-operation.ts'

export const listAccess = trentOperation<WhoCanPage>()({
  name: 'ListAccess',
  door: 'operator',
  input: {
    key: required(text({ min: 1, max: 2048 })),
    action: text({ min: 5, max: 128 }),
    /** The account that owns the key, if `key` is an id or an alias. */
    accountId: text({ pattern: '^[0-9]{12}$' }),
    region: text({ min: 1, max: 64 }),
    after: text({ pattern: '^[0-9]{12}/(?:root|(?:user|role)/[\\w+=,.@-]{1,64})$' }),
  },
  permissions: () => [{ action: 'trent:ListAccess' }],
  readOnly: true,
  audit: ['key', 'action', 'accountId', 'region', 'after'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'InvalidArnException',
    'NotFoundException',
  ],
  run({ input, caller, region: ownRegion, partition, signal }, { explanations }) {
    const { key, action, accountId = ownerOf(key) ?? caller.accountId, region = ownRegion } = input
    const { after } = input
    const question = {
      key,
      region,
      partition,
      ...(action !== undefined && { action }),
      ...(after !== undefined && { after }),
    }
    return explanations.whoCan(question, accountId, signal)
  },
})

/** The account in a key or alias ARN. */
function ownerOf(key: string): string | undefined {
  return key.startsWith('arn:') ? key.split(':')[4] : undefined
}
