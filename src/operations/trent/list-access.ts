/**
 * ListAccess — what `trent who-can` asks: which users, roles and root users, of every account, can do
 * what with a key, and by which path; page by page.
 * @module
 */
import { required, text } from '../../model/shape.ts'
import type { WhoCanPage } from '../contract/access-questions.ts'
import { insiderOperation } from './insider-operation.ts'

export const listAccess = insiderOperation<WhoCanPage>()({
  name: 'ListAccess',
  door: 'operator',
  input: {
    key: required(text({ min: 1, max: 2048 })),
    action: text({ min: 5, max: 128 }),
    /** The account that owns the key, where its id or an alias names it. */
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

/** The account of a key's or an alias's ARN. */
function ownerOf(key: string): string | undefined {
  return key.startsWith('arn:') ? key.split(':')[4] : undefined
}
