/**
 * CreateAlias — adds an alias to a key.
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
import { checkAliasName, checkAliasTarget, requireAliasQuota } from './alias-name.ts'
import { aliasName, requiredKeyId } from './members.ts'
import { requireUnderQuota } from './resource-quota.ts'

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
    // The pipeline accepts only keys of the caller's account, so alias and key have the same account.
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
      await requireAliasQuota(transaction, key, quotas.resources)
      const { aliases } = quotas.resources
      const quota = 'Aliases quota for this account in this region'
      await requireUnderQuota(aliases, () => transaction.countAllAliases(accountId, region), quota)
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
