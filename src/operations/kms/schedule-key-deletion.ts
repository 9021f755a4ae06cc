/**
 * ScheduleKeyDeletion — starts the waiting period after which a key is deleted.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
 * @module
 */
import type { ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse } from '@aws-sdk/client-kms'
import { backingKeysOf } from '../../lifecycle/backing-keys.ts'
import { replicasOf } from '../../lifecycle/related-keys.ts'
import { notDyingStates } from '../../model/key-state.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { auditDate } from '../../model/audit-date.ts'
import { requiredKeyId } from './members.ts'

const defaultWindowDays = 30
const dayMilliseconds = 24 * 60 * 60 * 1000

export const scheduleKeyDeletion = operation<
  ScheduleKeyDeletionRequest,
  ScheduleKeyDeletionResponse
>()({
  name: 'ScheduleKeyDeletion',
  // The model allows 1 to 365; AWS documents 7 to 30 and refuses other values.
  input: { KeyId: requiredKeyId, PendingWindowInDays: integer({ min: 7, max: 30 }) },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ScheduleKeyDeletion',
      crossAccount: false,
      states: notDyingStates.filter((state) => state !== 'Updating'),
    },
  },
  context: (input) => ({
    'kms:ScheduleKeyDeletionPendingWindowInDays': String(
      input.PendingWindowInDays ?? defaultWindowDays,
    ),
  }),
  asksIdleDays: true,
  readOnly: false,
  audit: ['KeyId', 'PendingWindowInDays'],
  auditDefaults: () => ({ pendingWindowInDays: defaultWindowDays }),
  auditResponse: (output, arns) => ({
    keyId: arns.key,
    keyState: output.KeyState,
    ...(output.DeletionDate === undefined ? {} : { deletionDate: auditDate(output.DeletionDate) }),
    pendingWindowInDays: output.PendingWindowInDays,
  }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
  ],
  run({ input, keys: { key }, arn, commit, aboutKeyStore }, { clock }) {
    const windowDays = input.PendingWindowInDays ?? defaultWindowDays
    return commit(async (transaction) => {
      const replicas = await replicasOf(transaction, key)
      // The window of a primary key begins when its last replica is deleted.
      const waits = replicas.length > 0
      const deletionDate = waits ? undefined : clock.now() + windowDays * dayMilliseconds
      const state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion'
      await transaction.updateKey(key, {
        state,
        deletionDate,
        pendingWindowDays: windowDays,
        transitionStartedAt: undefined,
        connectedState: undefined,
      })
      const backing = await backingKeysOf(transaction, key)
      if (backing !== undefined) aboutKeyStore(backing)
      return {
        KeyId: arn(key),
        ...(deletionDate !== undefined && { DeletionDate: new Date(deletionDate) }),
        KeyState: state,
        PendingWindowInDays: windowDays,
      }
    })
  },
})
