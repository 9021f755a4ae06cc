import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { clusterId, newClusterStore, trustAnchor } from './cluster-stores.ts'
import { alterStore, makeStore } from './external-stores.ts'
import { accountId, call, createWorld, region } from './memory-dependencies.ts'

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

test('ConnectCustomKeyStore needs one HSM, in a cluster that was initialized', async () => {
  const world = createWorld()
  const store = { ...newClusterStore({ accountId, region }), connection: 'DISCONNECTED' } as const
  const connect = () => call(world, 'ConnectCustomKeyStore', { CustomKeyStoreId: store.storeId })
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  // One HSM is enough here. A cluster that is not there fails in the background.
  for (const id of [clusterId, 'cluster-relatedabcd', 'cluster-unknownabcd']) {
    world.rows.keyStores = [{ ...store, cluster: { clusterId: id, trustAnchor } }]
    await connect()
    assert.equal(world.rows.keyStores[0]?.connection, 'CONNECTING')
  }
  assert.deepEqual(asked, [`initialized ${clusterId}`, 'initialized cluster-relatedabcd'])
  world.rows.keyStores = [store]
  world.askOutside = () => {
    throw new KmsError('CloudHsmClusterNotActiveException')
  }
  await assert.rejects(connect(), { code: 'CloudHsmClusterNotActiveException' })
  assert.equal(world.rows.keyStores[0]?.connection, 'DISCONNECTED')
})
