/**
 * GetKeyRotationStatus — whether and when a key is rotated by itself, and whether it is being rotated.
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
    // What a key that is to be deleted keeps comes back with it. AWS rotates the keys that it manages, and
    // does not say so.
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
