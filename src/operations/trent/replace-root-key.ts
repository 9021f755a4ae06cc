/**
 * ReplaceRootKey — `trent account replace-key`: replaces the access key of an account's root user. The old
 * key and all sessions from it end. The new secret is returned only here.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import type { CreatedAccount } from './create-account.ts'
import { trentOperation } from './trent-operation.ts'

export const replaceRootKey = trentOperation<CreatedAccount>()({
  name: 'ReplaceRootKey',
  door: 'operator',
  input: { accountId: required(text({ pattern: '^[0-9]{12}$' })) },
  permissions: () => [{ action: 'trent:ReplaceRootKey' }],
  readOnly: false,
  audit: ['accountId'],
  auditResponse: ({ accountId, accessKeyId }) => ({ accountId, accessKeyId }),
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  async run({ input: { accountId }, commit }, { clock, newAccessKey, server, store }) {
    if (accountId === server.firstAccount.accountId) {
      const message = 'the access key of the root user of the first account is that of the settings'
      throw new KmsError('ValidationException', message)
    }
    if ((await store.findAccount(accountId)) === undefined) {
      throw new KmsError('NotFoundException', `There is no account ${accountId}`)
    }
    const owner = { accountId, principalKind: 'root', principalId: accountId } as const
    const { record, plaintextSecret: secretAccessKey } = newAccessKey(owner)
    const createdAt = clock.now()
    return commit(async (transaction) => {
      for (const key of await transaction.listAccessKeysOf(accountId)) {
        await transaction.deleteAccessKey(key)
      }
      await transaction.insertAccessKey({ ...record, status: 'Active', createdAt })
      return { accountId, accessKeyId: record.accessKeyId, secretAccessKey }
    })
  },
})
