/**
 * EnableKey — enables a disabled key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
 * @module
 */
import type { EnableKeyRequest } from '@aws-sdk/client-kms'
import { switched } from '../../lifecycle/key-switches.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import { switchableStates } from './switchable-states.ts'

export const enableKey = operation<EnableKeyRequest, void>()({
  name: 'EnableKey',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:EnableKey',
      crossAccount: false,
      states: switchableStates,
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
  async run({ keys: { key }, commit }) {
    if (key.state === 'Enabled' || key.connectedState === 'Enabled') return
    await commit(async (transaction) => {
      await transaction.updateKey(key, await switched(transaction, key, 'Enabled'))
    })
  },
})
