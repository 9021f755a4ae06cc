/**
 * CreateAccountAlias — sets the account's alias and replaces the one that it had.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
 * @module
 */
import type { CreateAccountAliasRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accountAlias } from './members.ts'
import { requiredAccount } from './required-account.ts'

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
      try {
        await transaction.updateAccount(account, { alias })
      } catch (error) {
        if (!(error instanceof DuplicateRow)) throw error
        const message = `The account alias ${alias} already exists.`
        throw new KmsError('EntityAlreadyExistsException', message)
      }
    })
  },
})
