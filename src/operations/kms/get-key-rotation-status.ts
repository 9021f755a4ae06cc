/**
 * GetKeyRotationStatus — returns the automatic rotation of a key, and the start of a rotation in progress.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 * @module
 */
import type { GetKeyRotationStatusRequest, GetKeyRotationStatusResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { anyState } from '../../model/key-state.ts'
import { rotationScheduleOf } from '../../model/rotation.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import { onDemandOrigins } from './rotatable.ts'

export const getKeyRotationStatus = operation<
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse
>()({
  name: 'GetKeyRotationStatus',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:GetKeyRotationStatus',
      crossAccount: true,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId'],
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'UnsupportedOperationException',
  ],
  async run({ keys: { key }, arn }) {
    const KeyId = arn(key)
    if (!onDemandOrigins.includes(key.origin)) {
      const message = `${KeyId} origin is ${key.origin} which is not valid for this operation.`
      throw new KmsError('UnsupportedOperationException', message)
    }
    const { onDemandRotationStartedAt: startedAt } = key
    // A key pending deletion keeps its schedule, and cancelling shows it again. AWS rotates AWS managed
    // keys without reporting it.
    const hidden = key.state === 'PendingDeletion' || key.manager === 'AWS'
    const schedule = hidden ? undefined : rotationScheduleOf(key)
    return {
      KeyId,
      KeyRotationEnabled: schedule !== undefined,
      ...(schedule && {
        RotationPeriodInDays: schedule.periodDays,
        NextRotationDate: new Date(schedule.nextAt),
      }),
      ...(startedAt !== undefined && { OnDemandRotationStartDate: new Date(startedAt) }),
    }
  },
})
