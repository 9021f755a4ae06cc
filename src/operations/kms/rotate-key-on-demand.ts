/**
 * RotateKeyOnDemand — starts the rotation of a key; a background job finishes it.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
 * @module
 */
import type { RotateKeyOnDemandRequest, RotateKeyOnDemandResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { waitingMaterialOf } from '../../lifecycle/waiting-material.ts'
import type { MaterialStateRecord } from '../../model/key-material.ts'
import { updateShared } from '../../lifecycle/related-keys.ts'
import { usableStates } from '../../model/key-state.ts'
import { rotationScheduleOf } from '../../model/rotation.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'
import { onDemandOrigins, requireOwnRotation, requireSymmetric } from './rotatable.ts'

/** On-demand rotations in the lifetime of a key. */
const onDemandRotationsMax = 25
/** Minimum distance from an automatic rotation, in milliseconds. */
const apartMs = 20 * 60_000

export const rotateKeyOnDemand = operation<RotateKeyOnDemandRequest, RotateKeyOnDemandResponse>()({
  name: 'RotateKeyOnDemand',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:RotateKeyOnDemand',
      crossAccount: false,
      states: usableStates,
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
    'KMSInvalidStateException',
    'UnsupportedOperationException',
    'LimitExceededException',
    'ConflictException',
  ],
  async run({ keys: { key }, arn, commit }, { store, clock }) {
    const KeyId = arn(key)
    requireSymmetric(key)
    requireOwnRotation(key, KeyId, 'RotateKeyOnDemand', onDemandOrigins)
    // A rotation in progress makes the call idempotent.
    if (key.onDemandRotationStartedAt !== undefined) return { KeyId }
    if (key.origin === 'EXTERNAL') requireReady(await waitingMaterialOf(store, key), KeyId)
    if ((await store.countRotations(key, 'ON_DEMAND')) >= onDemandRotationsMax) {
      throw new KmsError(
        'LimitExceededException',
        'The on-demand rotations limit has been reached for the given keyId. ' +
          `No more on-demand rotations can be performed for this key: ${KeyId}`,
      )
    }
    const now = clock.now()
    const nextAt = rotationScheduleOf(key)?.nextAt
    if (nextAt !== undefined && nextAt - now <= apartMs) {
      throw new KmsError(
        'ConflictException',
        'The request was rejected because an automatic rotation of this key is currently in ' +
          'progress or scheduled to begin within the next 20 minutes.',
      )
    }
    return commit(async (transaction) => {
      // The rotation's own audit record follows when it is finished.
      await updateShared(transaction, key, { onDemandRotationStartedAt: now })
      return { KeyId }
    })
  },
})

/** @throws {KmsError} `KMSInvalidStateException` */
function requireReady(waiting: MaterialStateRecord | undefined, arn: string): void {
  if (waiting?.state === 'PENDING_ROTATION') return
  throw new KmsError(
    'KMSInvalidStateException',
    waiting === undefined
      ? `No available key material pending rotation for the key: ${arn}.`
      : 'Cannot perform key material rotation: Key material has not been imported for replicas of ' +
          'the Multi-Region key.',
  )
}
