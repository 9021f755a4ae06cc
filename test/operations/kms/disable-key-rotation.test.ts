import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'
import { settingRefusals, testRefusals } from './rotatable-keys.ts'

test('DisableKeyRotation ends the schedule, and forgets its period', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
  assert.deepEqual(await call(world, 'DisableKeyRotation', { KeyId }), {})
  const key = rowOf(world, KeyId)
  assert(!Object.hasOwn(key, 'rotationPeriodDays') && !Object.hasOwn(key, 'nextRotationAt'))
})

test('DisableKeyRotation leaves a rotation on demand in progress', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'EnableKeyRotation', { KeyId })
  await call(world, 'RotateKeyOnDemand', { KeyId })
  await call(world, 'DisableKeyRotation', { KeyId })
  assert.equal(rowOf(world, KeyId).onDemandRotationStartedAt, world.now)
})

test('DisableKeyRotation of a key that is not rotated changes nothing, whatever its spec', async () => {
  for (const spec of ['SYMMETRIC_DEFAULT', 'HMAC_256', 'RSA_2048'] as const) {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), { spec })
    const { commits } = world
    assert.deepEqual(await call(world, 'DisableKeyRotation', { KeyId }), {})
    assert.equal(world.commits, commits)
  }
})

testRefusals('DisableKeyRotation', settingRefusals)
