/**
 * UpdateAlias — points an alias at another key of the same type and usage.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html
 * @module
 */
import assert from 'node:assert/strict'
import type { UpdateAliasRequest } from '@aws-sdk/client-kms'
import { keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { KeyRecord } from '../../model/key.ts'
import { anyState, notDyingStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { checkAliasName, checkAliasTarget, requireAliasQuota } from './alias-name.ts'
import { aliasName, requiredKeyId } from './members.ts'

export const updateAlias = operation<UpdateAliasRequest, void>()({
  name: 'UpdateAlias',
  input: { AliasName: required(aliasName), TargetKeyId: requiredKeyId },
  alias: { from: 'AliasName', action: 'kms:UpdateAlias', target: 'current' },
  keys: {
    current: {
      from: 'AliasName',
      forms: 'any',
      action: 'kms:UpdateAlias',
      crossAccount: false,
      states: anyState,
    },
    key: {
      from: 'TargetKeyId',
      forms: 'key',
      action: 'kms:UpdateAlias',
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
    'LimitExceededException',
  ],
  check(input) {
    checkAliasName(input.AliasName)
    checkAliasTarget(input.TargetKeyId)
  },
  async run({ alias, keys: { current, key }, commit }, { clock, quotas }) {
    const record = alias?.record
    assert(record, 'the pipeline found the alias when it resolved the key')
    requireSameKind(record.name, current, key)
    if (record.targetKeyId === key.keyId) return
    const updatedAt = clock.now()
    await commit(async (transaction) => {
      await transaction.confirmKey(key)
      await requireAliasQuota(transaction, key, quotas.resources)
      await transaction.updateAlias(record, { targetKeyId: key.keyId, updatedAt })
    })
  },
})

/**
 * Checks that both keys have the same type and usage, because callers of the alias rely on them.
 * @throws {KmsError} `ValidationException`
 */
export function requireSameKind(alias: string, current: KeyRecord, next: KeyRecord): void {
  if (current.usage !== next.usage) {
    throw new KmsError(
      'ValidationException',
      `Alias ${alias} cannot be changed from a CMK with key usage ${current.usage} to a CMK with ` +
        `key usage ${next.usage}. The key usage of the current CMK and the new CMK must be the same.`,
    )
  }
  const [from, to] = [keySpecs[current.spec].kind, keySpecs[next.spec].kind]
  if (from === to) return
  throw new KmsError(
    'ValidationException',
    `Alias ${alias} cannot be changed from a CMK of type ${from} to a CMK of type ${to}. ` +
      'The type of the current CMK and the new CMK must be the same.',
  )
}
