/**
 * CreateAlias — gives a key one more name.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
 * @module
 */
import type { CreateAliasRequest } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { aliasArn } from '../../model/key.ts'
import { notDyingStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import { operation } from '../contract/operation.ts'
import { checkAliasName, checkAliasTarget, requireAliasRoom } from './alias-name.ts'
import { aliasName, requiredKeyId } from './members.ts'
import { requireRoom } from './room.ts'

export const createAlias = operation<CreateAliasRequest, void>()({
  name: 'CreateAlias',
  input: { AliasName: required(aliasName), TargetKeyId: requiredKeyId },
  alias: { from: 'AliasName', action: 'kms:CreateAlias' },
  keys: {
    key: {
      from: 'TargetKeyId',
      forms: 'key',
      action: 'kms:CreateAlias',
      crossAccount: false,
      states: notDyingStates,
    },
  },
  readOnly: false,
  audit: ['AliasName', 'TargetKeyId'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'ValidationException',
    'InvalidAliasNameException',
    'NotAuthorizedException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
    'AlreadyExistsException',
    'LimitExceededException',
  ],
  check(input) {
    checkAliasName(input.AliasName)
    checkAliasTarget(input.TargetKeyId)
  },
  async run({ input, partition, keys: { key }, commit }, { clock, quotas }) {
    // The pipeline takes keys of the caller's own account only, so the alias is made beside its key.
    const { accountId, region, keyId } = key
    const alias = { accountId, region, name: input.AliasName }
    const now = clock.now()
    await commit(async (transaction) => {
      const taken = new KmsError(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(partition, alias)} already exists`,
      )
      if ((await transaction.findAlias(alias)) !== undefined) throw taken
      await transaction.confirmKey(key)
      await requireAliasRoom(transaction, key, quotas.resources)
      const { aliases } = quotas.resources
      const quota = 'Aliases quota for this account in this region'
      await requireRoom(aliases, () => transaction.countAllAliases(accountId, region), quota)
      try {
        await transaction.insertAlias({
          ...alias,
          targetKeyId: keyId,
          createdAt: now,
          updatedAt: now,
        })
      } catch (error) {
        if (error instanceof DuplicateRow) throw taken
        throw error
      }
    })
  },
})
