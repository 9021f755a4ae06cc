import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alterStore, makeStore } from './external-stores.ts'
import { call, createWorld } from './memory-dependencies.ts'

test('ConnectCustomKeyStore begins to connect a disconnected store, and leaves a connected one', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  const connect = () => call(world, 'ConnectCustomKeyStore', { CustomKeyStoreId: store.storeId })
  assert.deepEqual(await connect(), {})
  assert.equal(world.rows.keyStores[0]?.connection, 'CONNECTING')
  for (const connection of ['CONNECTING', 'CONNECTED'] as const) {
    alterStore(world, store, { connection })
    await connect()
    assert.equal(world.rows.keyStores[0]?.connection, connection)
  }
})

test('ConnectCustomKeyStore refuses a store that has failed, or is being disconnected', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  for (const connection of ['FAILED', 'DISCONNECTING'] as const) {
    alterStore(world, store, { connection })
    const connecting = call(world, 'ConnectCustomKeyStore', { CustomKeyStoreId: store.storeId })
    await assert.rejects(connecting, { code: 'CustomKeyStoreInvalidStateException' })
  }
  const unknown = call(world, 'ConnectCustomKeyStore', { CustomKeyStoreId: 'cks-0' })
  await assert.rejects(unknown, { code: 'CustomKeyStoreNotFoundException' })
})
