/**
 * ResetRoot — `trent break-glass reset-root`: gives an account's root user a new access key. The old ones and
 * all sessions from them end. The new secret is returned only here.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { formatArn } from '../../model/arn.ts'
import { shownCaller } from '../../model/operator.ts'
import { required, text } from '../../model/shape.ts'
import type { CreatedAccount } from './create-account.ts'
import { trentOperation } from './trent-operation.ts'

export const resetRoot = trentOperation<CreatedAccount>()({
  name: 'ResetRoot',
  door: 'operator',
  input: { accountId: required(text({ pattern: '^[0-9]{12}$' })) },
  permissions: () => [{ action: 'trent:ResetRoot' }],
  readOnly: false,
  audit: ['accountId'],
  auditResponse: ({ accountId, accessKeyId }) => ({ accountId, accessKeyId }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'ServiceUnavailableException',
  ],
  async run(call, { clock, newAccessKey, server, store }) {
    const { accountId } = call.input
    const { firstAccount } = server
    if (accountId === firstAccount.accountId && firstAccount.isRootGiven) {
      const message =
        'the access key of the root user of the first account is that of the settings: change it there'
      throw new KmsError('ValidationException', message)
    }
    if ((await store.findAccount(accountId)) === undefined) {
      throw new KmsError('NotFoundException', `There is no account ${accountId}`)
    }
    const { partition, region, caller } = call
    const arn = formatArn({ partition, service: 'iam', region: '', accountId, resource: 'root' })
    const operator = shownCaller(caller)
    const glass = server.breakGlass({ act: 'reset-root', accountId, region, arn, operator })
    const owner = { accountId, principalKind: 'root', principalId: accountId } as const
    const { record, plaintextSecret: secretAccessKey } = newAccessKey(owner)
    const createdAt = clock.now()
    call.concerning({ arn, accountId, type: 'AWS::IAM::RootUser' })
    const made = await call.commit(async (transaction) => {
      for (const key of await transaction.listAccessKeysOf(accountId)) {
        await transaction.deleteAccessKey(key)
      }
      await transaction.insertAccessKey({ ...record, status: 'Active', createdAt })
      await glass.note(transaction)
      return { accountId, accessKeyId: record.accessKeyId, secretAccessKey }
    })
    glass.done()
    return made
  },
})
