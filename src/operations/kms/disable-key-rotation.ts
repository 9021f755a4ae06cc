/**
 * DisableKeyRotation — turns the automatic rotation of a key off; its materials stay.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html
 * @module
 */
import type { DisableKeyRotationRequest } from '@aws-sdk/client-kms'
import { updateShared } from '../../lifecycle/related-keys.ts'
import { requireState, usableStates } from '../../model/key-state.ts'
import { rotationScheduleOf } from '../../model/rotation.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import { automaticOrigins, requireOwnRotation, rotationSettingStates } from './rotatable.ts'

export const disableKeyRotation = operation<DisableKeyRotationRequest, void>()({
  name: 'DisableKeyRotation',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:DisableKeyRotation',
      crossAccount: false,
      states: rotationSettingStates,
    },
  },
  readOnly: false,
  audit: ['KeyId'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DisabledException',
    'UnsupportedOperationException',
    'KMSInvalidStateException',
  ],
  async run({ keys: { key }, arn, alsoRecords, commit }) {
    requireOwnRotation(key, arn(key), 'DisableKeyRotation', automaticOrigins)
    requireState(arn(key), key.state, usableStates)
    // A key that cannot be rotated has it off already; AWS returns success.
    if (rotationScheduleOf(key) === undefined) return
    await commit(async (transaction) => {
      const changes = { rotationPeriodDays: undefined, nextRotationAt: undefined }
      for (const event of await updateShared(transaction, key, changes)) alsoRecords(event)
    })
  },
})
