import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alterStore, makeStore } from './external-stores.ts'
import { alter, call, createWorld, makeKey } from './memory-dependencies.ts'

test('DeleteCustomKeyStore deletes a disconnected store without keys', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  const { storeId: CustomKeyStoreId } = store
  const calling = () => call(world, 'DeleteCustomKeyStore', { CustomKeyStoreId })
  alterStore(world, store, { connection: 'FAILED' })
  await assert.rejects(calling(), { code: 'CustomKeyStoreInvalidStateException' })
  alterStore(world, store, { connection: 'DISCONNECTED' })
  const key = await makeKey(world)
  alter(world, key, { customKeyStoreId: CustomKeyStoreId, state: 'PendingDeletion' })
  await assert.rejects(calling(), { code: 'CustomKeyStoreHasCMKsException' })
  alter(world, key, { customKeyStoreId: 'cks-other' })
  assert.deepEqual(await calling(), {})
  assert.deepEqual(world.rows.keyStores, [])
})
