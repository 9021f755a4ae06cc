import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { clusterId, clusterSettings, otherTrustAnchor, trustAnchor } from './cluster-stores.ts'
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

test('CreateCustomKeyStore looks for a VPC endpoint service, and does not ask the proxy behind it', async () => {
  const world = createWorld()
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  const service = 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0'
  const given = {
    XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    XksProxyVpcEndpointServiceName: service,
  }
  await makeStore(world, given)
  assert.deepEqual(asked, [`address ${service}`])
  const CustomKeyStoreName = 'other'
  await assert.rejects(makeStore(world, { ...given, CustomKeyStoreName }), {
    code: 'XksProxyVpcEndpointServiceInUseException',
  })
  assert.equal(asked.length, 1)
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
  const XksProxyUriEndpoint = 'https://XKS.example.com.'
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

test('CreateCustomKeyStore stores a key store in a cluster, once the cluster has proved active', async () => {
  const world = createWorld()
  const asked: string[] = []
  world.askOutside = (question) => void asked.push(question)
  for (const type of [{}, { CustomKeyStoreType: 'AWS_CLOUDHSM' }]) {
    world.rows.keyStores = []
    await call(world, 'CreateCustomKeyStore', { ...clusterSettings, ...type })
    const [{ type: kind, connection, cluster, wrappedSecret, proxy } = {}] = world.rows.keyStores
    assert.deepEqual(
      [kind, connection, cluster, wrappedSecret, proxy],
      [
        'AWS_CLOUDHSM',
        'DISCONNECTED',
        { clusterId, trustAnchor },
        Buffer.from('kmsuser 7'),
        undefined,
      ],
    )
  }
  assert.deepEqual(asked, [`active ${clusterId}`, `active ${clusterId}`])
})

test('CreateCustomKeyStore refuses clusters that are unknown, foreign, small or in use', async () => {
  const world = createWorld()
  const create = (given: object) =>
    call(world, 'CreateCustomKeyStore', { ...clusterSettings, ...given })
  for (const CloudHsmClusterId of ['cluster-unknownabcd', 'cluster-otherabcdef']) {
    await assert.rejects(create({ CloudHsmClusterId }), {
      code: 'CloudHsmClusterNotFoundException',
      message: `AWS KMS cannot find the CloudHSM cluster ${CloudHsmClusterId}.`,
    })
  }
  for (const TrustAnchorCertificate of [otherTrustAnchor, 'no certificate']) {
    await assert.rejects(create({ TrustAnchorCertificate }), {
      code: 'IncorrectTrustAnchorException',
    })
  }
  await assert.rejects(create({ CloudHsmClusterId: 'cluster-relatedabcd' }), {
    code: 'CloudHsmClusterInvalidConfigurationException',
    message:
      'The CloudHSM cluster cluster-relatedabcd has 1 active HSMs, and this operation needs 2.',
  })
  world.askOutside = () => {
    throw new KmsError('CloudHsmClusterNotActiveException')
  }
  await assert.rejects(create({}), { code: 'CloudHsmClusterNotActiveException' })
  assert.deepEqual(world.rows.keyStores, [])
  world.askOutside = () => undefined
  await create({})
  world.askOutside = () => assert.fail('the cluster is asked')
  for (const CloudHsmClusterId of [clusterId, 'cluster-relatedabcd']) {
    await assert.rejects(create({ CustomKeyStoreName: 'other', CloudHsmClusterId }), {
      code: 'CloudHsmClusterInUseException',
    })
  }
  await assert.rejects(create({}), { code: 'CustomKeyStoreNameInUseException' })
})

test('CreateCustomKeyStore refuses members that are missing, or of the other type', async () => {
  const world = createWorld()
  for (const name of ['CloudHsmClusterId', 'KeyStorePassword', 'TrustAnchorCertificate']) {
    await assert.rejects(
      call(
        world,
        'CreateCustomKeyStore',
        Object.fromEntries(Object.entries(clusterSettings).filter(([member]) => member !== name)),
      ),
      {
        code: 'ValidationException',
        message: `${name} is required for a custom key store of type AWS_CLOUDHSM.`,
      },
    )
  }
  const { XksProxyUriPath } = externalSettings
  await assert.rejects(
    call(world, 'CreateCustomKeyStore', { ...clusterSettings, XksProxyUriPath }),
    {
      message: 'XksProxyUriPath is not valid for a custom key store of type AWS_CLOUDHSM.',
    },
  )
  const { KeyStorePassword } = clusterSettings
  await assert.rejects(
    call(world, 'CreateCustomKeyStore', { ...externalSettings, KeyStorePassword }),
    { message: 'KeyStorePassword is not valid for a custom key store of type EXTERNAL_KEY_STORE.' },
  )
})
