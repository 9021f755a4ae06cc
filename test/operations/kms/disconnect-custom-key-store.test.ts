import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alterStore, makeStore } from './external-stores.ts'
import { call, createWorld } from './memory-dependencies.ts'

test('DisconnectCustomKeyStore begins to disconnect a store that is connected, connecting or failed', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  const { storeId: CustomKeyStoreId } = store
  for (const connection of ['CONNECTED', 'CONNECTING', 'FAILED'] as const) {
    const failed = connection === 'FAILED' && { connectionError: 'INTERNAL_ERROR' as const }
    alterStore(world, store, { connection, ...failed })
    assert.deepEqual(await call(world, 'DisconnectCustomKeyStore', { CustomKeyStoreId }), {})
    const [row] = world.rows.keyStores
    assert.deepEqual([row?.connection, row?.connectionError], ['DISCONNECTING', undefined])
  }
})

test('DisconnectCustomKeyStore refuses a store that is disconnected, or on the way', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  for (const connection of ['DISCONNECTED', 'DISCONNECTING'] as const) {
    alterStore(world, store, { connection })
    const calling = call(world, 'DisconnectCustomKeyStore', { CustomKeyStoreId: store.storeId })
    await assert.rejects(calling, { code: 'CustomKeyStoreInvalidStateException' })
  }
})
