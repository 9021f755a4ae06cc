import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeStore } from './external-stores.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  rowOf,
} from './memory-dependencies.ts'

test('DisableKey makes a key Disabled', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Enabled' })
  assert.deepEqual(await call(world, 'DisableKey', { KeyId: key.keyId }), {})
  assert.equal(rowOf(world, key.keyId).state, 'Disabled')
})

test('DisableKey of a key that is Disabled changes nothing', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Disabled' })
  const commits = world.commits
  await call(world, 'DisableKey', { KeyId: key.keyId })
  assert.equal(world.commits, commits)
})

const refused = [
  ['PendingDeletion', 'is pending deletion.'],
  ['PendingReplicaDeletion', 'is pending replica deletion.'],
  ['PendingImport', 'is pending import.'],
  ['Creating', 'is creating.'],
  ['Updating', 'is updating.'],
] as const

for (const [state, said] of refused) {
  test(`DisableKey of a key in ${state} is a KMSInvalidStateException`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    await assert.rejects(call(world, 'DisableKey', { KeyId: key.keyId }), {
      code: 'KMSInvalidStateException',
      message: `arn:aws:kms:${region}:${accountId}:key/${key.keyId} ${said}`,
    })
  })
}

test('DisableKey of an unavailable key counts once its key store is connected', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  const inStore = { customKeyStoreId: store.storeId, xksKeyId: 'key-1' }
  const unavailable = { state: 'Unavailable', connectedState: 'Enabled' } as const
  const key = alter(world, await makeKey(world), { ...inStore, ...unavailable })
  await call(world, 'DisableKey', { KeyId: key.keyId })
  const { state, connectedState } = rowOf(world, key.keyId)
  assert.deepEqual([state, connectedState], ['Unavailable', 'Disabled'])
  // A second time, nothing is left to change.
  const { commits } = world
  await call(world, 'DisableKey', { KeyId: key.keyId })
  assert.equal(world.commits, commits)
})

test('DisableKey takes no alias', async () => {
  await assert.rejects(call(createWorld(), 'DisableKey', { KeyId: 'alias/a' }), {
    code: 'InvalidArnException',
    message: 'Key Aliases are not supported for this operation.',
  })
})
