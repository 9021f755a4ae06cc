/**
 * ListOwnAccess — `POST /_trent/who-can`: lists the users, roles and the root user of the caller's account
 * that can use a key of this account, with what allows them. The console asks it with the credentials of its
 * user.
 * @see docs/why-refused.md
 * @module
 */
import { required, text } from '../../model/shape.ts'
import type { WhoCanPage } from '../contract/access-questions.ts'
import { readsIdentities } from './own-access-permissions.ts'
import { trentOperation } from './trent-operation.ts'

export const listOwnAccess = trentOperation<WhoCanPage>()({
  name: 'ListOwnAccess',
  door: 'signed',
  input: {
    key: required(text({ min: 1, max: 2048 })),
    action: text({ min: 5, max: 128 }),
    after: text({ pattern: '^[0-9]{12}/(?:root|(?:user|role)/[\\w+=,.@-]{1,64})$' }),
  },
  permissions: () => [{ action: 'console:ListOwnAccess' }, readsIdentities],
  readOnly: true,
  audit: ['key', 'action', 'after'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'InvalidArnException',
    'NotFoundException',
    'ThrottlingException',
  ],
  async run({ input, caller, region, partition, signal }, { explanations }) {
    const { key, action, after } = input
    const question = {
      key,
      region,
      partition,
      ...(action !== undefined && { action }),
      ...(after !== undefined && { after }),
    }
    return explanations.own.whoCan(question, caller.accountId, signal)
  },
})
