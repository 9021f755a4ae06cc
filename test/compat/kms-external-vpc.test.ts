/** External key stores behind VPC endpoint services: the operator maps the names of the services. @module */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import {
  newProxyKey,
  proxyCredential,
  proxyPath,
  startFakeProxy,
} from '../keystores/external/fake-proxy.ts'
import { letProxiesBeLate } from '../keystores/external/patience.ts'
import {
  connect,
  disconnect,
  entryOf,
  makeExternalKey,
  makeStore,
  type ExternalWorld,
} from './external-store.ts'
import { refused } from './sdk.ts'

const service = 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0'
const otherService = 'com.amazonaws.vpce.us-west-2.vpce-svc-0fedcba9876543210'
const unknownService = 'com.amazonaws.vpce.us-west-2.vpce-svc-0000000000000000a'
/** Only the certificate has it: no setting names it. */
const privateName = 'private.example.com'
const inVpc = {
  XksProxyUriEndpoint: `https://${privateName}`,
  XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
  XksProxyVpcEndpointServiceName: service,
} as const
const notFound =
  'AWS KMS cannot find the VPC endpoint service of the external key store. Verify that the name of ' +
  'the service is correct, and that AWS KMS may use it.'
const Plaintext = Buffer.from('behind a service')

test('the name of a VPC endpoint service leads to the proxy, and its certificate has the private name', async (t) => {
  letProxiesBeLate(t)
  const proxy = await startFakeProxy(privateName)
  t.after(() => proxy.stop())
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const startWith = async (...by: readonly string[]): Promise<ExternalWorld> => {
    const settings = { ...proxy.settings(directory, { by }), TRENT_TEST_API: 'on' }
    const server = await startTestServer(settings, { directory })
    return { server, kms: server.client(), proxy }
  }
  const world = await startWith(service, otherService)
  let running = world
  t.after(() => running.server.stop())
  const { kms } = world
  const NotFound = 'XksProxyVpcEndpointServiceNotFoundException'
  const unknown = { ...inVpc, XksProxyVpcEndpointServiceName: unknownService }
  await refused(makeStore(kms, unknown), NotFound, notFound)
  const CustomKeyStoreId = await makeStore(kms, inVpc)
  // The proxy is asked when the store is connected, not before.
  assert.deepEqual(proxy.seen, [])
  const configuration = {
    AccessKeyId: proxyCredential.AccessKeyId,
    Connectivity: 'VPC_ENDPOINT_SERVICE',
    UriEndpoint: `https://${privateName}`,
    UriPath: proxyPath,
    VpcEndpointServiceName: service,
    VpcEndpointServiceOwner: accountId,
  }
  assert.deepEqual((await entryOf(kms, CustomKeyStoreId)).XksProxyConfiguration, configuration)

  const second = { ...inVpc, CustomKeyStoreName: 'second' }
  await refused(
    makeStore(kms, { ...second, XksProxyUriEndpoint: 'https://second.example.com' }),
    'XksProxyVpcEndpointServiceInUseException',
    `${service} is already associated with another external key store.`,
  )
  await refused(
    makeStore(kms, {
      ...second,
      XksProxyUriPath: '/second/kms/xks/v1',
      XksProxyVpcEndpointServiceName: otherService,
    }),
    'XksProxyUriEndpointInUseException',
    `https://${privateName} is already associated with another external key store.`,
  )

  assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)

  await disconnect(world, CustomKeyStoreId)
  const update = (XksProxyVpcEndpointServiceName: string): Promise<unknown> =>
    kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, XksProxyVpcEndpointServiceName }))
  await refused(update(unknownService), NotFound, notFound)
  assert.deepEqual((await entryOf(kms, CustomKeyStoreId)).XksProxyConfiguration, configuration)
  await update(otherService)
  assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
  await kms.send(new DecryptCommand({ CiphertextBlob }))

  // A server that maps the private name and not the service asks nobody.
  proxy.keys.set('key-2', newProxyKey())
  await world.server.stop('keep')
  const later = await startWith(privateName)
  running = later
  const before = proxy.connections
  await refused(
    later.kms.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    notFound,
  )
  const Origin = 'EXTERNAL_KEY_STORE'
  await refused(
    later.kms.send(new CreateKeyCommand({ Origin, CustomKeyStoreId, XksKeyId: 'key-2' })),
    'CustomKeyStoreInvalidStateException',
    notFound,
  )
  await disconnect(later, CustomKeyStoreId)
  assert.equal(await connect(later, CustomKeyStoreId), 'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND')
  assert.equal((await entryOf(later.kms, CustomKeyStoreId)).ConnectionState, 'FAILED')
  assert.equal(proxy.connections, before)
})
