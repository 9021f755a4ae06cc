import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notDyingStates } from '../../../src/model/key-state.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  rowOf,
} from './memory-dependencies.ts'

test('CancelKeyDeletion leaves the key disabled, with no date', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'ScheduleKeyDeletion', { KeyId })
  assert.deepEqual(await call(world, 'CancelKeyDeletion', { KeyId }), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${KeyId}`,
  })
  const key = rowOf(world, KeyId)
  assert.equal(key.state, 'Disabled')
  assert(!Object.hasOwn(key, 'deletionDate') && !Object.hasOwn(key, 'pendingWindowDays'))
})

test('CancelKeyDeletion leaves a key without its imported material waiting for it', async () => {
  const world = createWorld()
  const { currentMaterialId: _, ...key } = await makeKey(world)
  world.rows.keys = [{ ...key, origin: 'EXTERNAL', state: 'PendingReplicaDeletion' }]
  await call(world, 'CancelKeyDeletion', { KeyId: key.keyId })
  assert.equal(rowOf(world, key.keyId).state, 'PendingImport')
})

test('CancelKeyDeletion of an imported key goes by what it has, not by what it had', async () => {
  for (const [model, state] of [
    ['KEY_MATERIAL_DOES_NOT_EXPIRE', 'Disabled'],
    ['KEY_MATERIAL_EXPIRES', 'Disabled'],
    // It lost material while it waited, and its row still names the current one.
    [undefined, 'PendingImport'],
  ] as const) {
    const world = createWorld()
    const key = alter(world, await makeKey(world), {
      origin: 'EXTERNAL',
      state: 'PendingDeletion',
      ...(model && { materialExpirationModel: model }),
    })
    await call(world, 'CancelKeyDeletion', { KeyId: key.keyId })
    assert.equal(rowOf(world, key.keyId).state, state)
  }
})

for (const state of notDyingStates) {
  test(`CancelKeyDeletion of a key in ${state} is a KMSInvalidStateException`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    await assert.rejects(call(world, 'CancelKeyDeletion', { KeyId: key.keyId }), {
      code: 'KMSInvalidStateException',
      message: `arn:aws:kms:${region}:${accountId}:key/${key.keyId} is not pending deletion.`,
    })
    assert.equal(rowOf(world, key.keyId).state, state)
  })
}
