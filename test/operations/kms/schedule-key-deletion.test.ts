import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyState } from '../../../src/model/key-state.ts'
import { scheduleKeyDeletion } from '../../../src/operations/kms/schedule-key-deletion.ts'
import {
  InputRefused,
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  rowOf,
  start,
} from './memory-dependencies.ts'

const day = 86_400_000

for (const [asked, days] of [
  [undefined, 30],
  [7, 7],
  [30, 30],
] as const) {
  test(`ScheduleKeyDeletion in ${asked ?? 'no'} days sets a window of ${days}`, async () => {
    const world = createWorld()
    const key = await makeKey(world)
    const answer = await call(world, 'ScheduleKeyDeletion', {
      KeyId: key.keyId,
      PendingWindowInDays: asked,
    })
    const deletionDate = start + days * day
    assert.deepEqual(answer, {
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      DeletionDate: new Date(deletionDate),
      KeyState: 'PendingDeletion',
      PendingWindowInDays: days,
    })
    const { state, deletionDate: stored, pendingWindowDays } = rowOf(world, key.keyId)
    assert.deepEqual([state, stored, pendingWindowDays], ['PendingDeletion', deletionDate, days])
  })
}

for (const [days, kind, limit] of [
  [6, 'minValue', 7],
  [31, 'maxValue', 30],
] as const) {
  test(`ScheduleKeyDeletion in ${days} days is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world)
    const value = String(days)
    await assert.rejects(
      call(world, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: days }),
      (error) => {
        assert(error instanceof InputRefused)
        const constraint = { kind, limit }
        assert.deepEqual(error.failures, [{ path: 'pendingWindowInDays', value, constraint }])
        return true
      },
    )
    assert.equal(rowOf(world, KeyId).state, 'Enabled')
  })
}

test('ScheduleKeyDeletion of a primary key waits for its replicas, and sets no date', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { MultiRegion: true })
  await call(world, 'ReplicateKey', { KeyId, ReplicaRegion: 'eu-north-1' })
  // Also for a key pending deletion.
  const replica = await call(world, 'ScheduleKeyDeletion', { KeyId }, 'eu-north-1')
  assert.equal(replica['KeyState'], 'PendingDeletion')
  assert.deepEqual(await call(world, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 9 }), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${KeyId}`,
    KeyState: 'PendingReplicaDeletion',
    PendingWindowInDays: 9,
  })
  const { state, deletionDate, pendingWindowDays } = rowOf(world, KeyId)
  assert.deepEqual(
    [state, deletionDate, pendingWindowDays],
    ['PendingReplicaDeletion', undefined, 9],
  )
  const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId })
  const { DeletionDate, PendingDeletionWindowInDays } = KeyMetadata as Record<string, unknown>
  assert.deepEqual([DeletionDate, PendingDeletionWindowInDays], [undefined, 9])
  await call(world, 'CancelKeyDeletion', { KeyId })
  assert.equal(rowOf(world, KeyId).state, 'Disabled')
})

for (const state of anyState) {
  const allowed = !['PendingDeletion', 'PendingReplicaDeletion', 'Updating'].includes(state)
  test(`ScheduleKeyDeletion of a key in ${state} is ${allowed ? 'done' : 'refused'}`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    const outcome = call(world, 'ScheduleKeyDeletion', { KeyId: key.keyId })
    if (allowed) assert.equal((await outcome)['KeyState'], 'PendingDeletion')
    else await assert.rejects(outcome, { code: 'KMSInvalidStateException' })
  })
}

test('the audit record of ScheduleKeyDeletion says when, as AWS writes dates there', () => {
  const output = {
    KeyId: 'arn',
    DeletionDate: new Date(start),
    KeyState: 'PendingDeletion',
    PendingWindowInDays: 7,
  } as const
  assert.deepEqual(scheduleKeyDeletion.auditResponse?.(output, { key: 'arn' }), {
    keyId: 'arn',
    keyState: 'PendingDeletion',
    deletionDate: '2026-01-02T15:04:05Z',
    pendingWindowInDays: 7,
  })
})

test('ScheduleKeyDeletion shows policies its window', () => {
  const name = 'kms:ScheduleKeyDeletionPendingWindowInDays'
  const input = { KeyId: 'a' }
  assert.deepEqual(scheduleKeyDeletion.context?.(input, 'key', {}), { [name]: '30' })
  const given = { ...input, PendingWindowInDays: 9 }
  assert.deepEqual(scheduleKeyDeletion.context?.(given, 'key', {}), { [name]: '9' })
})
