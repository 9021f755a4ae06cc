/**
 * DisableKey — disables a key; nothing is deleted.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
 * @module
 */
import type { DisableKeyRequest } from '@aws-sdk/client-kms'
import { switched } from '../../lifecycle/key-switches.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import { switchableStates } from './switchable-states.ts'

export const disableKey = operation<DisableKeyRequest, void>()({
  name: 'DisableKey',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:DisableKey',
      crossAccount: false,
      states: switchableStates,
    },
  },
  asksIdleDays: true,
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
    if (key.state === 'Disabled' || key.connectedState === 'Disabled') return
    await commit(async (transaction) => {
      await transaction.updateKey(key, await switched(transaction, key, 'Disabled'))
    })
  },
})
