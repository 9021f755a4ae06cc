/**
 * DeleteAccountAlias — deletes the account's alias.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccountAlias.html
 * @module
 */
import type { DeleteAccountAliasRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accountAlias } from './members.ts'
import { requiredAccount } from './required-account.ts'

export const deleteAccountAlias = iamOperation<DeleteAccountAliasRequest, void>()({
  name: 'DeleteAccountAlias',
  input: { AccountAlias: required(accountAlias) },
  permissions: () => [{ action: 'iam:DeleteAccountAlias' }],
  readOnly: false,
  audit: ['AccountAlias'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  async run({ input: { AccountAlias: alias }, caller: { accountId }, commit }) {
    await commit(async (transaction) => {
      const account = await requiredAccount(accountId, transaction)
      if (account.alias !== alias) {
        const message = `The account alias ${alias} cannot be found.`
        throw new KmsError('NoSuchEntityException', message)
      }
      await transaction.updateAccount(account, { alias: undefined })
    })
  },
})
