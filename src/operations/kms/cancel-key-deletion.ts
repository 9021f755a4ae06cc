/**
 * CancelKeyDeletion — ends the waiting period of a key; the key is then disabled.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
 * @module
 */
import type { CancelKeyDeletionRequest, CancelKeyDeletionResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { keptFromDeletion } from '../../lifecycle/key-switches.ts'
import { anyState, notDyingStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'

export const cancelKeyDeletion = operation<CancelKeyDeletionRequest, CancelKeyDeletionResponse>()({
  name: 'CancelKeyDeletion',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:CancelKeyDeletion',
      crossAccount: false,
      // `run` checks the state: AWS uses one message for all other states.
      states: anyState,
    },
  },
  readOnly: false,
  audit: ['KeyId'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
  ],
  async run({ keys: { key }, arn, commit }) {
    if (notDyingStates.includes(key.state)) {
      throw new KmsError('KMSInvalidStateException', `${arn(key)} is not pending deletion.`)
    }
    return commit(async (transaction) => {
      await transaction.updateKey(key, await keptFromDeletion(transaction, key))
      return { KeyId: arn(key) }
    })
  },
})
