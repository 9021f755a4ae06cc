import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newClusterStore } from './cluster-stores.ts'
import { makeStore } from './external-stores.ts'
import { accountId, InputRefused, call, createWorld, region } from './memory-dependencies.ts'

test('GenerateRandom answers as many bytes as asked for, and nothing else', async () => {
  for (const NumberOfBytes of [1, 1024]) {
    const answer = await call(createWorld(), 'GenerateRandom', { NumberOfBytes })
    assert.deepEqual(answer, { Plaintext: Buffer.alloc(NumberOfBytes, 0xa5) })
  }
})

test('GenerateRandom must be told how many', async () => {
  await assert.rejects(call(createWorld(), 'GenerateRandom'), {
    code: 'ValidationException',
    message: 'NumberOfBytes is required.',
  })
})

test('GenerateRandom refuses no bytes and 1025', async () => {
  for (const NumberOfBytes of [0, 1025]) {
    await assert.rejects(call(createWorld(), 'GenerateRandom', { NumberOfBytes }), InputRefused)
  }
})

test('GenerateRandom takes no external key store, which generates nothing', async () => {
  const world = createWorld()
  const unknown = { NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' }
  await assert.rejects(call(world, 'GenerateRandom', unknown), {
    code: 'CustomKeyStoreNotFoundException',
  })
  const { storeId: CustomKeyStoreId } = await makeStore(world)
  await assert.rejects(call(world, 'GenerateRandom', { NumberOfBytes: 1, CustomKeyStoreId }), {
    code: 'UnsupportedOperationException',
  })
})

test('GenerateRandom takes bytes from a connected key store in a cluster', async () => {
  const world = createWorld()
  const places: unknown[] = []
  const { keyStoreOf } = world
  Object.assign(world, {
    keyStoreOf: (place: Parameters<typeof keyStoreOf>[0]) => {
      places.push(place)
      return keyStoreOf(place)
    },
  })
  const store = newClusterStore({ accountId, region })
  const given = { NumberOfBytes: 4, CustomKeyStoreId: store.storeId }
  world.rows.keyStores = [store]
  assert.deepEqual(await call(world, 'GenerateRandom', given), {
    Plaintext: Buffer.alloc(4, 0xa5),
  })
  assert.deepEqual(places, [
    { origin: 'AWS_CLOUDHSM', accountId, region, customKeyStoreId: store.storeId },
  ])
  world.rows.keyStores = [{ ...store, connection: 'DISCONNECTED' }]
  await assert.rejects(call(world, 'GenerateRandom', given), {
    code: 'CustomKeyStoreInvalidStateException',
  })
})
