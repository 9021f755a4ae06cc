import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyState } from '../../../src/model/key-state.ts'
import { alter, call, createWorld, makeKey, start } from './memory-dependencies.ts'
import { arnOf, dayMs } from './rotatable-keys.ts'

const schedule = { rotationPeriodDays: 90, nextRotationAt: start + dayMs }

test('GetKeyRotationStatus of a key that is not rotated says so, and no more', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const off = { KeyId: arnOf(KeyId), KeyRotationEnabled: false }
  assert.deepEqual(await call(world, 'GetKeyRotationStatus', { KeyId }), off)
})

for (const state of anyState) {
  const shown = state !== 'PendingDeletion'
  test(`GetKeyRotationStatus in ${state} ${shown ? 'tells the schedule' : 'says that there is none'}`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), {
      ...schedule,
      state,
      onDemandRotationStartedAt: start,
    })
    assert.deepEqual(await call(world, 'GetKeyRotationStatus', { KeyId }), {
      KeyId: arnOf(KeyId),
      KeyRotationEnabled: shown,
      ...(shown && { RotationPeriodInDays: 90, NextRotationDate: new Date(start + dayMs) }),
      OnDemandRotationStartDate: new Date(start),
    })
  })
}

test('GetKeyRotationStatus is false for keys that cannot be rotated by themselves', async () => {
  for (const members of [
    { spec: 'HMAC_256' },
    { spec: 'RSA_2048' },
    { origin: 'EXTERNAL' },
    { origin: 'EXTERNAL', state: 'PendingImport' },
  ] as const) {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), members)
    const { KeyRotationEnabled } = await call(world, 'GetKeyRotationStatus', { KeyId })
    assert.equal(KeyRotationEnabled, false)
  }
})

test('GetKeyRotationStatus of a key managed by AWS is false, though it is rotated every year', async () => {
  const world = createWorld()
  const made = alter(world, await makeKey(world), { manager: 'AWS' })
  const status = (): Promise<unknown> => call(world, 'GetKeyRotationStatus', { KeyId: made.keyId })
  const expected = { KeyId: arnOf(made.keyId), KeyRotationEnabled: false }
  assert.deepEqual(await status(), expected)
  alter(world, made, { rotationPeriodDays: 365, nextRotationAt: start + 730 * dayMs })
  assert.deepEqual(await status(), expected)
})

test('GetKeyRotationStatus of a key in a custom key store is refused', async () => {
  for (const origin of ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const) {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), { origin })
    await assert.rejects(call(world, 'GetKeyRotationStatus', { KeyId }), {
      code: 'UnsupportedOperationException',
      message: `${arnOf(KeyId)} origin is ${origin} which is not valid for this operation.`,
    })
  }
})

test('GetKeyRotationStatus takes no alias', async () => {
  await assert.rejects(call(createWorld(), 'GetKeyRotationStatus', { KeyId: 'alias/a' }), {
    code: 'InvalidArnException',
  })
})
