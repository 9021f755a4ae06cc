import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaterialStateRecord } from '../../../src/model/key-material.ts'
import {
  alter,
  call,
  createWorld,
  makeKey,
  rowOf,
  start,
  type World,
} from './memory-dependencies.ts'
import {
  arnOf,
  dayMs,
  onDemandRefusals,
  testRefusals,
  testUnsupportedSpecs,
} from './rotatable-keys.ts'

function addRotations(world: World, keyId: string, count: number): void {
  const [first] = world.rows.materialStates.filter((one) => one.keyId === keyId)
  assert(first)
  for (let ordinal = 2; ordinal <= count + 1; ordinal += 1) {
    const materialId = String(ordinal).repeat(64).slice(0, 64)
    world.rows.materialStates.push({ ...first, ordinal, materialId, rotationType: 'ON_DEMAND' })
  }
}

test('RotateKeyOnDemand starts a rotation and answers the ARN', async () => {
  const world = createWorld()
  const { keyId: KeyId, currentMaterialId } = await makeKey(world)
  world.now += 7
  assert.deepEqual(await call(world, 'RotateKeyOnDemand', { KeyId }), { KeyId: arnOf(KeyId) })
  const key = rowOf(world, KeyId)
  assert.equal(key.onDemandRotationStartedAt, start + 7)
  assert.equal(key.currentMaterialId, currentMaterialId)
  const status = await call(world, 'GetKeyRotationStatus', { KeyId })
  assert.deepEqual(status['OnDemandRotationStartDate'], new Date(start + 7))
})

test('RotateKeyOnDemand while a rotation is in progress is that one, also next to the limit', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'RotateKeyOnDemand', { KeyId })
  addRotations(world, KeyId, 25)
  const { commits } = world
  world.now += 1000
  assert.deepEqual(await call(world, 'RotateKeyOnDemand', { KeyId }), { KeyId: arnOf(KeyId) })
  assert.equal(world.commits, commits)
  assert.equal(rowOf(world, KeyId).onDemandRotationStartedAt, start)
})

test('RotateKeyOnDemand is done twenty-five times and no more', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  addRotations(world, KeyId, 24)
  await call(world, 'RotateKeyOnDemand', { KeyId })
  alter(world, rowOf(world, KeyId), { onDemandRotationStartedAt: undefined } as object)
  world.rows.materialStates.length = 1
  addRotations(world, KeyId, 25)
  await assert.rejects(call(world, 'RotateKeyOnDemand', { KeyId }), {
    code: 'LimitExceededException',
    message:
      'The on-demand rotations limit has been reached for the given keyId. ' +
      `No more on-demand rotations can be performed for this key: ${arnOf(KeyId)}`,
  })
})

for (const [minutes, allowed] of [
  [-1, false],
  [0, false],
  [20, false],
  [21, true],
] as const) {
  test(`RotateKeyOnDemand ${minutes} minutes before an automatic rotation is ${allowed ? 'done' : 'refused'}`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), {
      rotationPeriodDays: 90,
      nextRotationAt: start + minutes * 60_000,
    })
    const outcome = call(world, 'RotateKeyOnDemand', { KeyId })
    if (allowed) await outcome
    else {
      await assert.rejects(outcome, {
        code: 'ConflictException',
        message:
          'The request was rejected because an automatic rotation of this key is currently in ' +
          'progress or scheduled to begin within the next 20 minutes.',
      })
    }
    const key = rowOf(world, KeyId)
    assert.equal(key.onDemandRotationStartedAt, allowed ? start : undefined)
    assert.equal(key.nextRotationAt, start + minutes * 60_000)
  })
}

for (const state of ['PENDING_ROTATION', 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'] as const) {
  const waits = state === 'PENDING_ROTATION'
  test(`RotateKeyOnDemand of an imported key whose new material is ${state} is ${waits ? 'done' : 'refused'}`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), { origin: 'EXTERNAL' })
    const nothing = {
      code: 'KMSInvalidStateException',
      message: `No available key material pending rotation for the key: ${arnOf(KeyId)}.`,
    }
    await assert.rejects(call(world, 'RotateKeyOnDemand', { KeyId }), nothing)
    const [first] = world.rows.materialStates
    const waiting = { ...first, ordinal: 2, materialId: 'e'.repeat(64), state }
    world.rows.materialStates.push(waiting as MaterialStateRecord)
    const outcome = call(world, 'RotateKeyOnDemand', { KeyId })
    const notEverywhere = {
      code: 'KMSInvalidStateException',
      message:
        'Cannot perform key material rotation: Key material has not been imported for replicas ' +
        'of the Multi-Region key.',
    }
    if (waits) await outcome
    else await assert.rejects(outcome, notEverywhere)
    assert.equal(rowOf(world, KeyId).onDemandRotationStartedAt, waits ? start : undefined)
  })
}

test('RotateKeyOnDemand works with automatic rotation far away', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'EnableKeyRotation', { KeyId })
  await call(world, 'RotateKeyOnDemand', { KeyId })
  assert.equal(rowOf(world, KeyId).nextRotationAt, start + 365 * dayMs)
})

testRefusals('RotateKeyOnDemand', onDemandRefusals)
testUnsupportedSpecs('RotateKeyOnDemand')
