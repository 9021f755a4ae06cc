/**
 * DeleteAlias — deletes an alias; the key does not change.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html
 * @module
 */
import assert from 'node:assert/strict'
import type { DeleteAliasRequest } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { checkAliasName } from './alias-name.ts'
import { aliasName } from './members.ts'

export const deleteAlias = operation<DeleteAliasRequest, void>()({
  name: 'DeleteAlias',
  input: { AliasName: required(aliasName) },
  alias: { from: 'AliasName', action: 'kms:DeleteAlias', target: 'key' },
  keys: {
    key: {
      from: 'AliasName',
      forms: 'any',
      action: 'kms:DeleteAlias',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: false,
  audit: ['AliasName'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'ValidationException',
    'InvalidAliasNameException',
    'NotAuthorizedException',
    'NotFoundException',
    'AccessDeniedException',
  ],
  check: (input) => checkAliasName(input.AliasName),
  async run({ alias, commit }) {
    const record = alias?.record
    assert(record, 'the pipeline found the alias when it resolved the key')
    await commit((transaction) => transaction.deleteAlias(record))
  },
})
