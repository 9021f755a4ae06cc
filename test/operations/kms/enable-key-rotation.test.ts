import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enableKeyRotation } from '../../../src/operations/kms/enable-key-rotation.ts'
import { InputRefused, call, createWorld, makeKey, rowOf, start } from './memory-dependencies.ts'
import { dayMs, settingRefusals, testRefusals, testUnsupportedSpecs } from './rotatable-keys.ts'

for (const [asked, days] of [
  [undefined, 365],
  [90, 90],
  [2560, 2560],
] as const) {
  test(`EnableKeyRotation of ${asked ?? 'no'} days rotates every ${days}, from now on`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world)
    world.now += 5
    const answer = await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: asked })
    assert.deepEqual(answer, {})
    const { rotationPeriodDays, nextRotationAt } = rowOf(world, KeyId)
    assert.deepEqual([rotationPeriodDays, nextRotationAt], [days, start + 5 + days * dayMs])
  })
}

test('EnableKeyRotation keeps the schedule for the same period or none, and restarts it for another', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
  const { commits } = world
  const before = rowOf(world, KeyId)
  world.now += dayMs
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
  await call(world, 'EnableKeyRotation', { KeyId })
  assert.deepEqual([rowOf(world, KeyId), world.commits], [before, commits])
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 101 })
  assert.equal(rowOf(world, KeyId).nextRotationAt, start + 102 * dayMs)
})

for (const [days, kind, limit] of [
  [89, 'minValue', 90],
  [2561, 'maxValue', 2560],
] as const) {
  test(`EnableKeyRotation of ${days} days is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world)
    await assert.rejects(
      call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: days }),
      (error) => {
        assert(error instanceof InputRefused)
        const constraint = { kind, limit }
        assert.deepEqual(error.failures, [
          { path: 'rotationPeriodInDays', value: String(days), constraint },
        ])
        return true
      },
    )
    assert.equal(rowOf(world, KeyId).nextRotationAt, undefined)
  })
}

test('policies see the default period where none is asked for', () => {
  const see = (input: object): unknown =>
    enableKeyRotation.context?.(input as { KeyId: string }, 'key', {})
  assert.deepEqual(see({ KeyId: 'k' }), { 'kms:RotationPeriodInDays': '365' })
  const asked = { KeyId: 'k', RotationPeriodInDays: 90 }
  assert.deepEqual(see(asked), { 'kms:RotationPeriodInDays': '90' })
})

testRefusals('EnableKeyRotation', settingRefusals)
testUnsupportedSpecs('EnableKeyRotation')
