import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputRefused, alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'

test('UpdateKeyDescription writes another description, and an empty one', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Description: 'one' })
  for (const Description of ['two', '']) {
    await call(world, 'UpdateKeyDescription', { KeyId, Description })
    assert.equal(rowOf(world, KeyId).description, Description)
  }
})

test('UpdateKeyDescription with the description that is there changes nothing', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Description: 'one' })
  await call(world, 'UpdateKeyDescription', { KeyId, Description: 'one' })
  assert.equal(world.commits, 1)
})

test('UpdateKeyDescription refuses 8193 characters, and none at all', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'UpdateKeyDescription', { KeyId, Description: 'x'.repeat(8192) })
  await assert.rejects(
    call(world, 'UpdateKeyDescription', { KeyId, Description: 'x'.repeat(8193) }),
    InputRefused,
  )
  await assert.rejects(call(world, 'UpdateKeyDescription', { KeyId }), {
    failures: [{ path: 'description', value: undefined, constraint: { kind: 'required' } }],
  })
})

test('UpdateKeyDescription works on a disabled key and not on one that is to be deleted', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Disabled' })
  await call(world, 'UpdateKeyDescription', { KeyId: key.keyId, Description: 'x' })
  alter(world, key, { state: 'PendingDeletion' })
  await assert.rejects(
    call(world, 'UpdateKeyDescription', { KeyId: key.keyId, Description: 'y' }),
    { code: 'KMSInvalidStateException' },
  )
})
