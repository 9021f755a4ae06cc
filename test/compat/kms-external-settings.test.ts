/** What external key stores and their keys refuse, through the wire. @module */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DescribeCustomKeyStoresCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  GetParametersForImportCommand,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { proxyHost, proxyPath, startFakeProxy } from '../keystores/external/fake-proxy.ts'
import {
  connect,
  makeExternalKey,
  makeStore,
  startExternalWorld,
  storeSettings,
} from './external-store.ts'
import { refused } from './sdk.ts'

const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`

test('what a key in an external key store cannot do is refused', async (t) => {
  const world = await startExternalWorld(t)
  const { kms } = world
  const CustomKeyStoreId = await makeStore(kms)
  await refused(
    kms.send(
      new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'key-1' }),
    ),
    'CustomKeyStoreInvalidStateException',
    'This KMS key is in a custom key store that is not connected to its external key store proxy. ' +
      'Connect the external key store and try the request again.',
  )
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId)
  await refused(
    makeExternalKey(kms, CustomKeyStoreId),
    'XksKeyAlreadyInUseException',
    'The external key key-1 is already associated with another KMS key in this external key store.',
  )
  const origin = `${arnOf(KeyId)} origin is EXTERNAL_KEY_STORE which is not valid for this operation.`
  const parameters = {
    WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048',
  } as const
  for (const call of [
    () => kms.send(new EnableKeyRotationCommand({ KeyId })),
    () => kms.send(new GetParametersForImportCommand({ KeyId, ...parameters })),
  ]) {
    await refused(call(), 'UnsupportedOperationException', origin)
  }
  await refused(
    kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })),
    'UnsupportedOperationException',
    origin,
  )
  await refused(
    kms.send(new GenerateRandomCommand({ NumberOfBytes: 16, CustomKeyStoreId })),
    'UnsupportedOperationException',
    `Custom key store ${CustomKeyStoreId} is an external key store, which generates no random bytes.`,
  )
  const wrong = [
    [{ MultiRegion: true }, 'MultiRegion is not compatible with Origin EXTERNAL_KEY_STORE'],
    [
      { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
      'KeySpec RSA_2048 is not compatible with Origin EXTERNAL_KEY_STORE',
    ],
  ] as const
  for (const [members, message] of wrong) {
    const command = new CreateKeyCommand({
      Origin: 'EXTERNAL_KEY_STORE',
      CustomKeyStoreId,
      XksKeyId: 'key-2',
      ...members,
    })
    await refused(kms.send(command), 'ValidationException', message)
  }
})

test('names and addresses of key stores are unique, and an account has at most ten', async (t) => {
  const service = 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0'
  const services = Array.from({ length: 9 }, (_, index) => `${service}${index + 1}`)
  const world = await startExternalWorld(t, { by: [proxyHost, ...services] })
  const { kms } = world
  await makeStore(kms)
  await refused(
    makeStore(kms, { XksProxyUriPath: '/other/kms/xks/v1' }),
    'CustomKeyStoreNameInUseException',
    'A custom key store with the name external already exists.',
  )
  await refused(
    makeStore(kms, { CustomKeyStoreName: 'other' }),
    'XksProxyUriInUseException',
    `https://${proxyHost}${proxyPath} is already associated with another external key store.`,
  )
  const inVpc = {
    XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    XksProxyVpcEndpointServiceName: service,
  } as const
  await refused(
    makeStore(kms, { CustomKeyStoreName: 'other', ...inVpc }),
    'XksProxyUriEndpointInUseException',
    `https://${proxyHost} is already associated with another external key store.`,
  )
  // A private endpoint is asked only when it is connected.
  for (const [index, XksProxyVpcEndpointServiceName] of services.entries()) {
    await makeStore(kms, {
      CustomKeyStoreName: `store ${index}`,
      ...inVpc,
      XksProxyUriEndpoint: `https://xks-${index}.example.com`,
      XksProxyVpcEndpointServiceName,
    })
  }
  await refused(
    makeStore(kms, { CustomKeyStoreName: 'eleventh', XksProxyUriPath: '/more/kms/xks/v1' }),
    'LimitExceededException',
    'Custom key stores quota for this account in this region is 10, current usage is 10.',
  )
  const first = await kms.send(new DescribeCustomKeyStoresCommand({ Limit: 7 }))
  assert.deepEqual([first.CustomKeyStores?.length, first.Truncated], [7, true])
  const second = await kms.send(new DescribeCustomKeyStoresCommand({ Marker: first.NextMarker }))
  assert.deepEqual([second.CustomKeyStores?.length, second.Truncated], [3, false])
})

test('incomplete and contradictory settings of a key store are refused', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const kms = server.client()
  const needed =
    'XksProxyUriEndpoint, XksProxyUriPath, XksProxyConnectivity and XksProxyAuthenticationCredential ' +
    'are required for a custom key store of type EXTERNAL_KEY_STORE.'
  const wrong = [
    [{ XksProxyUriEndpoint: undefined }, needed],
    [{ XksProxyAuthenticationCredential: undefined }, needed],
    [{ XksProxyUriPath: '/kms/xks/v2' }, 'XksProxyUriPath must end with /kms/xks/v1.'],
    [
      { KeyStorePassword: 'password' },
      'KeyStorePassword is not valid for a custom key store of type EXTERNAL_KEY_STORE.',
    ],
    [
      { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' },
      'XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.',
    ],
    [
      { CustomKeyStoreType: 'AWS_CLOUDHSM' },
      'XksProxyUriEndpoint is not valid for a custom key store of type AWS_CLOUDHSM.',
    ],
  ] as const
  for (const [members, message] of wrong) {
    const command = new CreateCustomKeyStoreCommand({ ...storeSettings, ...members })
    await refused(kms.send(command), 'ValidationException', message)
  }
  await refused(
    kms.send(
      new CreateCustomKeyStoreCommand({
        CustomKeyStoreName: 'hsm',
        CloudHsmClusterId: 'cluster-2a34b5cdefg',
        KeyStorePassword: 'kmsPswd',
        TrustAnchorCertificate: 'certificate',
      }),
    ),
    'CloudHsmClusterNotFoundException',
    'AWS KMS cannot find the CloudHSM cluster cluster-2a34b5cdefg.',
  )
  await refused(
    makeStore(kms),
    'XksProxyUriUnreachableException',
    'AWS KMS cannot communicate with the external key store proxy. This might be a transient network ' +
      'issue. If you see this error repeatedly, verify that your external key store proxy is active and ' +
      'is connected to the network, and that its endpoint URI is correct in your external keystore.',
  )
})

test('a proxy with the certificate of another name, or of an unknown authority, is not asked', async (t) => {
  const proxy = await startFakeProxy('other.example.com')
  t.after(() => proxy.stop())
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const settings = proxy.settings(directory)
  const { TRENT_XKS_CA: _left, ...untrusting } = settings
  const servers = [
    await startTestServer(settings, { directory }),
    await startTestServer(untrusting),
  ]
  t.after(() => Promise.all(servers.map((server) => server.stop())))
  for (const server of servers) {
    await refused(
      makeStore(server.client()),
      'XksProxyUriUnreachableException',
      'AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS ' +
        'configuration, including its certificate.',
    )
  }
  assert.deepEqual(proxy.seen, [])
})
