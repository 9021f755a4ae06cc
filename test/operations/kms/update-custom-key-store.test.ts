import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { clusterId, newClusterStore, otherTrustAnchor } from './cluster-stores.ts'
import { alterStore, makeStore } from './external-stores.ts'
import { accountId, call, createWorld, region } from './memory-dependencies.ts'

const credential = {
  AccessKeyId: 'ZYXWVUTSRQPONMLKJIHG',
  RawSecretAccessKey: 'b'.repeat(64),
}

test('UpdateCustomKeyStore changes a disconnected store, and asks its proxy first', async () => {
  const world = createWorld()
  const { storeId: CustomKeyStoreId } = await makeStore(world)
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  world.now += 1000
  const given = {
    CustomKeyStoreId,
    XksProxyUriEndpoint: 'https://new.example.com',
    XksProxyUriPath: '/new/kms/xks/v1',
    XksProxyAuthenticationCredential: credential,
  }
  assert.deepEqual(await call(world, 'UpdateCustomKeyStore', given), {})
  assert.deepEqual(asked, ['health https://new.example.com/new/kms/xks/v1'])
  const [row] = world.rows.keyStores
  assert.deepEqual(row?.proxy, {
    endpoint: 'https://new.example.com',
    path: '/new/kms/xks/v1',
    connectivity: 'PUBLIC_ENDPOINT',
    accessKeyId: credential.AccessKeyId,
    credentialSetAt: world.now,
  })
  assert.deepEqual(row?.wrappedSecret, Buffer.from('ZYXWVUTSRQPONMLKJIHG 64'))
})

test('UpdateCustomKeyStore changes name, path and credential of a connected store, and no more', async () => {
  const world = createWorld()
  const store = await makeStore(world)
  const { storeId: CustomKeyStoreId } = store
  alterStore(world, store, { connection: 'CONNECTED' })
  for (const given of [
    { NewCustomKeyStoreName: 'new' },
    { XksProxyUriPath: '/new/kms/xks/v1' },
    { XksProxyAuthenticationCredential: credential },
  ]) {
    await call(world, 'UpdateCustomKeyStore', { CustomKeyStoreId, ...given })
  }
  const refused = { CustomKeyStoreId, XksProxyUriEndpoint: 'https://new.example.com' }
  await assert.rejects(call(world, 'UpdateCustomKeyStore', refused), {
    code: 'CustomKeyStoreInvalidStateException',
  })
  alterStore(world, store, { connection: 'CONNECTING' })
  const name = { CustomKeyStoreId, NewCustomKeyStoreName: 'newer' }
  await assert.rejects(call(world, 'UpdateCustomKeyStore', name), {
    code: 'CustomKeyStoreInvalidStateException',
  })
})

test('UpdateCustomKeyStore moves a store to a VPC endpoint service and back', async () => {
  const world = createWorld()
  const { storeId: CustomKeyStoreId } = await makeStore(world)
  const update = (given: object) =>
    call(world, 'UpdateCustomKeyStore', { CustomKeyStoreId, ...given })
  const service = 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0'
  const inVpc = { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' }
  const invalid = { code: 'ValidationException' }
  await assert.rejects(update(inVpc), invalid)
  const endpoint = { XksProxyUriEndpoint: 'https://private.example.com' }
  await assert.rejects(update({ ...inVpc, ...endpoint }), invalid)
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  await update({ ...inVpc, ...endpoint, XksProxyVpcEndpointServiceName: service })
  assert.deepEqual(asked, [`address ${service}`])
  const [moved] = world.rows.keyStores
  assert.deepEqual(
    [moved?.proxy?.connectivity, moved?.proxy?.vpcServiceName, moved?.proxy?.vpcServiceOwner],
    ['VPC_ENDPOINT_SERVICE', service, moved?.accountId],
  )
  await update({
    XksProxyConnectivity: 'PUBLIC_ENDPOINT',
    XksProxyUriEndpoint: 'https://xks.example.com',
  })
  assert.equal(world.rows.keyStores[0]?.proxy?.vpcServiceName, undefined)
})

test('UpdateCustomKeyStore changes nothing if the proxy refuses, or if there is nothing to change', async () => {
  const world = createWorld()
  const { storeId: CustomKeyStoreId } = await makeStore(world)
  const [before] = world.rows.keyStores
  await assert.rejects(call(world, 'UpdateCustomKeyStore', { CustomKeyStoreId }), {
    code: 'ValidationException',
  })
  world.askOutside = () => {
    throw new KmsError('XksProxyInvalidConfigurationException')
  }
  const given = { CustomKeyStoreId, XksProxyUriPath: '/wrong/kms/xks/v1' }
  await assert.rejects(call(world, 'UpdateCustomKeyStore', given), {
    code: 'XksProxyInvalidConfigurationException',
  })
  const cluster = { CustomKeyStoreId, CloudHsmClusterId: 'cluster-2a34b5cdefg' }
  await assert.rejects(call(world, 'UpdateCustomKeyStore', cluster), {
    code: 'ValidationException',
  })
  assert.deepEqual(world.rows.keyStores, [before])
})

test('UpdateCustomKeyStore refuses members of VPC endpoint services for a public proxy', async () => {
  const world = createWorld()
  const { storeId: CustomKeyStoreId } = await makeStore(world)
  const members = {
    XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789',
    XksProxyVpcEndpointServiceOwner: '444455556666',
  }
  for (const [name, value] of Object.entries(members)) {
    await assert.rejects(call(world, 'UpdateCustomKeyStore', { CustomKeyStoreId, [name]: value }), {
      code: 'ValidationException',
      message: `${name} is not valid when XksProxyConnectivity is PUBLIC_ENDPOINT.`,
    })
  }
})

test('UpdateCustomKeyStore changes password and cluster of a key store in a cluster', async () => {
  const world = createWorld()
  const store = newClusterStore({ accountId, region })
  world.rows.keyStores = [{ ...store, connection: 'DISCONNECTED' }]
  const update = (given: object) =>
    call(world, 'UpdateCustomKeyStore', { CustomKeyStoreId: store.storeId, ...given })
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  await update({ KeyStorePassword: 'newPassword', CloudHsmClusterId: clusterId })
  assert.deepEqual(world.rows.keyStores[0]?.wrappedSecret, Buffer.from('kmsuser 11'))
  assert.deepEqual(asked, [`active ${clusterId}`])
  await update({ NewCustomKeyStoreName: 'renamed' })
  assert.equal(asked.length, 1)
  const refusals = [
    [{ CloudHsmClusterId: 'cluster-unknownabcd' }, 'CloudHsmClusterNotFoundException'],
    [{ CloudHsmClusterId: 'cluster-relatedabcd' }, 'CloudHsmClusterInvalidConfigurationException'],
    [{ XksProxyUriPath: '/kms/xks/v1' }, 'ValidationException'],
  ] as const
  for (const [given, code] of refusals) await assert.rejects(update(given), { code })
  world.rows.keyStores.push({ ...store, storeId: 'cks-other', accountId: '444455556666' })
  await assert.rejects(update({ KeyStorePassword: 'newPassword' }), {
    code: 'CloudHsmClusterInUseException',
  })
})

test('UpdateCustomKeyStore takes only a cluster with the same certificate', async () => {
  const world = createWorld()
  const store = newClusterStore({ accountId: '444455556666', region })
  const own = { ...store, accountId, connection: 'DISCONNECTED' } as const
  world.rows.keyStores = [{ ...own, cluster: { clusterId, trustAnchor: otherTrustAnchor } }]
  const given = { CustomKeyStoreId: own.storeId, CloudHsmClusterId: clusterId }
  await assert.rejects(call(world, 'UpdateCustomKeyStore', given), {
    code: 'CloudHsmClusterNotRelatedException',
  })
})
