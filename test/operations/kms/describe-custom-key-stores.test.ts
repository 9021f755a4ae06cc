import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterId, newClusterStore, trustAnchor } from './cluster-stores.ts'
import { alterStore, makeStore } from './external-stores.ts'
import { accountId, call, createWorld, region } from './memory-dependencies.ts'

test('DescribeCustomKeyStores shows stores by id, by name or all, and no secret', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  alterStore(world, store, { connection: 'FAILED', connectionError: 'INVALID_CREDENTIALS' })
  const entry = {
    CustomKeyStoreId: store.storeId,
    CustomKeyStoreName: 'external',
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    ConnectionState: 'FAILED',
    ConnectionErrorCode: 'INVALID_CREDENTIALS',
    CreationDate: new Date(world.now),
    XksProxyConfiguration: {
      Connectivity: 'PUBLIC_ENDPOINT',
      AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
      UriEndpoint: 'https://xks.example.com',
      UriPath: '/kms/xks/v1',
    },
  }
  for (const given of [
    {},
    { CustomKeyStoreId: store.storeId },
    { CustomKeyStoreName: 'external' },
  ]) {
    assert.deepEqual(await call(world, 'DescribeCustomKeyStores', given), {
      CustomKeyStores: [entry],
      Truncated: false,
    })
  }
})

test('DescribeCustomKeyStores refuses unknown stores, and an id together with a name', async () => {
  const world = createWorld()
  assert.deepEqual(await call(world, 'DescribeCustomKeyStores'), {
    CustomKeyStores: [],
    Truncated: false,
  })
  for (const given of [{ CustomKeyStoreId: 'cks-0' }, { CustomKeyStoreName: 'unknown' }]) {
    await assert.rejects(call(world, 'DescribeCustomKeyStores', given), {
      code: 'CustomKeyStoreNotFoundException',
    })
  }
  const both = { CustomKeyStoreId: 'cks-0', CustomKeyStoreName: 'unknown' }
  await assert.rejects(call(world, 'DescribeCustomKeyStores', both), {
    code: 'ValidationException',
  })
})

test('DescribeCustomKeyStores shows the cluster of a key store, and no password', async () => {
  const world = createWorld()
  const store = newClusterStore({ accountId, region })
  world.rows.keyStores = [store]
  const { CustomKeyStores } = await call(world, 'DescribeCustomKeyStores')
  assert.deepEqual(CustomKeyStores, [
    {
      CustomKeyStoreId: store.storeId,
      CustomKeyStoreName: 'hsm',
      CustomKeyStoreType: 'AWS_CLOUDHSM',
      CloudHsmClusterId: clusterId,
      TrustAnchorCertificate: trustAnchor,
      ConnectionState: 'CONNECTED',
      CreationDate: new Date(store.createdAt),
    },
  ])
})
