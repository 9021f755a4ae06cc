import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeStore } from './external-stores.ts'
import { InputRefused, call, createWorld } from './memory-dependencies.ts'

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
