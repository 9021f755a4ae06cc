/**
 * EnableKeyRotation — turns automatic rotation on, or changes its period.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
 * @module
 */
import type { EnableKeyRotationRequest } from '@aws-sdk/client-kms'
import { updateShared } from '../../lifecycle/related-keys.ts'
import { requireState, usableStates } from '../../model/key-state.ts'
import { defaultRotationDays, rotationFrom, rotationScheduleOf } from '../../model/rotation.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import {
  automaticOrigins,
  requireOwnRotation,
  requireSymmetric,
  rotationSettingStates,
} from './rotatable.ts'

export const enableKeyRotation = operation<EnableKeyRotationRequest, void>()({
  name: 'EnableKeyRotation',
  input: { KeyId: requiredKeyId, RotationPeriodInDays: integer({ min: 90, max: 2560 }) },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:EnableKeyRotation',
      crossAccount: false,
      states: rotationSettingStates,
    },
  },
  // Without a period in the request, policies see the default, even if the key keeps another period.
  context: (input) => ({
    'kms:RotationPeriodInDays': String(input.RotationPeriodInDays ?? defaultRotationDays),
  }),
  readOnly: false,
  audit: ['KeyId', 'RotationPeriodInDays'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DisabledException',
    'UnsupportedOperationException',
    'KMSInvalidStateException',
  ],
  async run({ input, keys: { key }, arn, alsoRecords, commit }, { clock }) {
    requireOwnRotation(key, arn(key), 'EnableKeyRotation', automaticOrigins)
    requireState(arn(key), key.state, usableStates)
    requireSymmetric(key)
    const present = rotationScheduleOf(key)?.periodDays
    const periodDays = input.RotationPeriodInDays ?? present ?? defaultRotationDays
    // An equal request does not postpone the next rotation.
    if (periodDays === present) return
    await commit(async (transaction) => {
      const changes = rotationFrom(clock.now(), periodDays)
      for (const event of await updateShared(transaction, key, changes)) alsoRecords(event)
    })
  },
})
