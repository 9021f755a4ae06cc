/**
 * CreateAccountAlias — sets the account's alias and replaces the one that it had.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
 * @module
 */
import type { CreateAccountAliasRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accountAlias } from './members.ts'
import { requiredAccount } from './required-account.ts'
import { refuseTaken } from './taken-name.ts'

export const createAccountAlias = iamOperation<CreateAccountAliasRequest, void>()({
  name: 'CreateAccountAlias',
  input: { AccountAlias: required(accountAlias) },
  permissions: () => [{ action: 'iam:CreateAccountAlias' }],
  readOnly: false,
  audit: ['AccountAlias'],
  throws: ['ValidationException', 'AccessDeniedException', 'EntityAlreadyExistsException'],
  async run({ input: { AccountAlias: alias }, caller: { accountId }, commit }) {
    await commit(async (transaction) => {
      const account = await requiredAccount(accountId, transaction)
      if (account.alias === alias) return
      const message = `The account alias ${alias} already exists.`
      await refuseTaken(transaction.updateAccount(account, { alias }), message)
    })
  },
})
