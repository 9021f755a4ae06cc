import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { externalSettings, makeStore } from './external-stores.ts'
import { accountId, call, createWorld, InputRefused, region } from './memory-dependencies.ts'

test('CreateCustomKeyStore stores a disconnected store, with its secret wrapped', async () => {
  const world = createWorld()
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  const { storeId, createdAt, ...made } = await makeStore(world)
  assert.match(storeId, /^cks-[0-9a-f]{17}$/)
  assert.equal(createdAt, world.now)
  assert.deepEqual(asked, ['health https://xks.example.com/kms/xks/v1'])
  assert.deepEqual(made, {
    accountId,
    region,
    name: 'external',
    type: 'EXTERNAL_KEY_STORE',
    connection: 'DISCONNECTED',
    proxy: {
      endpoint: 'https://xks.example.com',
      path: '/kms/xks/v1',
      connectivity: 'PUBLIC_ENDPOINT',
      accessKeyId: 'ABCDEFGHIJKLMNOPQRST',
      credentialSetAt: world.now,
    },
    wrappedSecret: Buffer.from('ABCDEFGHIJKLMNOPQRST 43'),
    wrappingVersion: 1,
    rowVersion: 1,
  })
})

test('CreateCustomKeyStore stores nothing if the proxy does not answer', async () => {
  const world = createWorld()
  world.askOutside = () => {
    throw new KmsError('XksProxyUriUnreachableException')
  }
  await assert.rejects(makeStore(world), { code: 'XksProxyUriUnreachableException' })
  assert.deepEqual(world.rows.keyStores, [])
})

test('CreateCustomKeyStore asks no proxy about a name or an address that is taken', async () => {
  const world = createWorld()
  await makeStore(world)
  world.askOutside = () => assert.fail('the proxy is asked')
  await assert.rejects(makeStore(world), { code: 'CustomKeyStoreNameInUseException' })
  const CustomKeyStoreName = 'other'
  await assert.rejects(makeStore(world, { CustomKeyStoreName }), {
    code: 'XksProxyUriInUseException',
  })
  const XksProxyUriEndpoint = 'https://XKS.example.com'
  await assert.rejects(makeStore(world, { CustomKeyStoreName, XksProxyUriEndpoint }), {
    code: 'XksProxyUriInUseException',
  })
})

test('CreateCustomKeyStore refuses settings outside of the limits', async () => {
  const world = createWorld()
  for (const given of [
    { CustomKeyStoreName: '' },
    { XksProxyUriEndpoint: 'http://xks.example.com' },
    { XksProxyUriEndpoint: 'https://xks.example.com:8443' },
    { XksProxyUriPath: '/kms/xks' },
    { XksProxyAuthenticationCredential: { AccessKeyId: 'short', RawSecretAccessKey: 'short' } },
    { KeyStorePassword: 'short' },
  ]) {
    const input = { ...externalSettings, ...given }
    await assert.rejects(call(world, 'CreateCustomKeyStore', input), InputRefused)
  }
})
