/** External key stores through the wire: their life, and that of the keys in them. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisconnectCustomKeyStoreCommand,
  ConnectCustomKeyStoreCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
  UpdateKeyDescriptionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import {
  newProxyKey,
  proxyCredential,
  proxyHost,
  proxyPath,
} from '../keystores/external/fake-proxy.ts'
import {
  connect,
  disconnect,
  entryOf,
  makeExternalKey,
  makeStore,
  startExternalWorld,
} from './external-store.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`
const Plaintext = Buffer.from('only Trent sees this')
const EncryptionContext = { purpose: 'test' }

async function stateOf(kms: KMSClient, KeyId: string): Promise<string | undefined> {
  return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState
}

test('a key store is made, shown, connected, renamed, disconnected and deleted', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const CustomKeyStoreId = await makeStore(kms)
  assert.match(CustomKeyStoreId, /^cks-[0-9a-f]{17}$/)
  assert.deepEqual(
    proxy.seen.map(({ path, body }) => [path, Object.keys(body)]),
    [['health', ['requestMetadata']]],
  )
  const { CreationDate, ...entry } = await entryOf(kms, CustomKeyStoreId)
  assert(CreationDate instanceof Date)
  assert.deepEqual(entry, {
    CustomKeyStoreId,
    CustomKeyStoreName: 'external',
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    ConnectionState: 'DISCONNECTED',
    XksProxyConfiguration: {
      AccessKeyId: proxyCredential.AccessKeyId,
      Connectivity: 'PUBLIC_ENDPOINT',
      UriEndpoint: `https://${proxyHost}`,
      UriPath: proxyPath,
    },
  })
  assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
  await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId })) // changes nothing
  const remove = () => kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
  await refused(
    remove(),
    'CustomKeyStoreInvalidStateException',
    `Custom key store ${CustomKeyStoreId} is connected, which is not valid for this operation.`,
  )
  const NewCustomKeyStoreName = 'renamed'
  await kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName }))
  const { CustomKeyStores } = await kms.send(
    new DescribeCustomKeyStoresCommand({ CustomKeyStoreName: NewCustomKeyStoreName }),
  )
  assert.deepEqual(
    CustomKeyStores?.map((each) => [each.CustomKeyStoreId, each.ConnectionState]),
    [[CustomKeyStoreId, 'CONNECTED']],
  )
  await disconnect(world, CustomKeyStoreId)
  await refused(
    kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId })),
    'CustomKeyStoreInvalidStateException',
    `Custom key store ${CustomKeyStoreId} is disconnected, which is not valid for this operation.`,
  )
  await remove()
  await refused(
    remove(),
    'CustomKeyStoreNotFoundException',
    `Custom key store ${CustomKeyStoreId} does not exist.`,
  )
})

test('a key encrypts and decrypts through the proxy, which never sees a plaintext', async (t) => {
  const world = await startExternalWorld(t)
  const { server, kms, proxy } = world
  proxy.keys.set('key-2', newProxyKey({ ivBytes: 16, metadata: Buffer.from('metadata') }))
  const storeId = await makeStore(kms)
  await connect(world, storeId)
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({
      Origin: 'EXTERNAL_KEY_STORE',
      CustomKeyStoreId: storeId,
      XksKeyId: 'key-1',
    }),
  )
  const KeyId = String(KeyMetadata?.KeyId)
  const { Origin, KeyState, CustomKeyStoreId, XksKeyConfiguration, MultiRegion } = KeyMetadata ?? {}
  assert.deepEqual(
    [Origin, KeyState, CustomKeyStoreId, XksKeyConfiguration, MultiRegion],
    ['EXTERNAL_KEY_STORE', 'Enabled', storeId, { Id: 'key-1' }, false],
  )
  const other = await makeExternalKey(kms, storeId, 'key-2')
  const builtin = (await makeKey(kms)).keyId
  for (const key of [KeyId, other]) {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: key, Plaintext, EncryptionContext }),
    )
    assert.equal(
      Buffer.from(CiphertextBlob ?? [])
        .subarray(0, 5)
        .toString('hex'),
      '0102020079',
    )
    // Without a key: the ciphertext names it.
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.deepEqual([Buffer.from(opened.Plaintext ?? []), opened.KeyId], [Plaintext, arnOf(key)])
    // To the built-in store and back.
    const there = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: builtin,
      }),
    )
    const back = await kms.send(
      new ReEncryptCommand({ CiphertextBlob: there.CiphertextBlob, DestinationKeyId: key }),
    )
    const again = await kms.send(new DecryptCommand({ CiphertextBlob: back.CiphertextBlob }))
    assert.deepEqual(Buffer.from(again.Plaintext ?? []), Plaintext)
    const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }))
    const dataKeyAgain = await kms.send(
      new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob, KeyId: key }),
    )
    assert.deepEqual(dataKeyAgain.Plaintext, dataKey.Plaintext)
    await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key, KeySpec: 'AES_128' }))
    await refused(
      kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: builtin })),
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  }
  // What the proxy saw: the caller, the key, the operation, and no plaintext.
  const [encrypt] = proxy.seen.filter(({ path }) => path === 'keys/key-1/encrypt')
  const { requestMetadata } = encrypt?.body ?? {}
  const { kmsRequestId, ...metadata } = requestMetadata as Record<string, string>
  assert.match(String(kmsRequestId), /^[0-9a-f-]{36}$/)
  assert.deepEqual(metadata, {
    awsPrincipalArn: `arn:aws:iam::${accountId}:root`,
    kmsKeyArn: arnOf(KeyId),
    kmsOperation: 'Encrypt',
  })
  for (const { body } of proxy.seen) {
    for (const value of Object.values(body)) {
      if (typeof value !== 'string') continue
      assert(!Buffer.from(value, 'base64').includes(Plaintext))
      assert(!Buffer.from(value, 'base64').includes('purpose'))
    }
  }
  // The health of a connected proxy is asked every few minutes.
  await advance(server.url, '6m')
  const asked = (about: 'health' | 'keys') =>
    proxy.seen
      .filter(({ path }) => path.split('/')[0] === about)
      .map(({ body }) => body as { readonly requestMetadata: Readonly<Record<string, string>> })
  const operationsAbout = (about: 'health' | 'keys'): ReadonlySet<string | undefined> =>
    new Set(asked(about).map(({ requestMetadata: { kmsOperation } }) => kmsOperation))
  for (let tries = 0; !operationsAbout('health').has('KmsHealthCheck'); tries += 1) {
    assert.ok(tries < 600, 'the health is not asked')
    await sleep(50)
  }
  assert.equal(asked('health').length + asked('keys').length, proxy.seen.length)
  for (const { requestMetadata: about, ...more } of asked('health')) {
    assert.deepEqual(more, {})
    assert.deepEqual(Object.keys(about).toSorted(), ['kmsOperation', 'kmsRequestId'])
    assert.match(String(about['kmsRequestId']), /^[0-9a-f-]{36}$/)
  }
  assert.deepEqual(
    operationsAbout('health'),
    new Set(['CreateCustomKeyStore', 'ConnectCustomKeyStore', 'KmsHealthCheck']),
  )
  assert.deepEqual(
    operationsAbout('keys'),
    new Set([
      'CreateKey',
      'Encrypt',
      'Decrypt',
      'ReEncrypt',
      'GenerateDataKey',
      'GenerateDataKeyWithoutPlaintext',
    ]),
  )
  const records = await recordsOf(server.directory)
  const connected = records.find(
    ({ eventType, eventName }) =>
      eventType === 'AwsServiceEvent' && eventName === 'ConnectCustomKeyStore',
  )
  assert.deepEqual((connected as object as { serviceEventDetails?: object }).serviceEventDetails, {
    customKeyStoreId: storeId,
    customKeyStoreName: 'external',
    connectionState: 'CONNECTED',
    keysMoved: 0,
  })
})

test('keys of a store that is not connected are unavailable, and keep their state for later', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const storeId = await makeStore(kms)
  await connect(world, storeId)
  for (const id of ['key-2', 'key-3', 'key-4']) proxy.keys.set(id, newProxyKey())
  const enabled = await makeExternalKey(kms, storeId)
  const disabled = await makeExternalKey(kms, storeId, 'key-2')
  const switched = await makeExternalKey(kms, storeId, 'key-3')
  const dying = await makeExternalKey(kms, storeId, 'key-4')
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: enabled, Plaintext }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 7 }))
  await disconnect(world, storeId)
  const all = [enabled, disabled, switched]
  for (const KeyId of all) assert.equal(await stateOf(kms, KeyId), 'Unavailable')
  assert.equal(await stateOf(kms, dying), 'PendingDeletion')
  await refused(
    kms.send(new EncryptCommand({ KeyId: enabled, Plaintext })),
    'KMSInvalidStateException',
    `${arnOf(enabled)} is unavailable.`,
  )
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    `${arnOf(enabled)} is unavailable.`,
  )
  // Changes that do not need the material go on.
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId: enabled, Description: 'away' }))
  await kms.send(new DisableKeyCommand({ KeyId: switched }))
  await kms.send(new EnableKeyCommand({ KeyId: disabled }))
  await kms.send(new CancelKeyDeletionCommand({ KeyId: dying }))
  for (const KeyId of [...all, dying]) assert.equal(await stateOf(kms, KeyId), 'Unavailable')
  await connect(world, storeId)
  assert.deepEqual(
    await Promise.all([enabled, disabled, switched, dying].map((KeyId) => stateOf(kms, KeyId))),
    ['Enabled', 'Enabled', 'Disabled', 'Disabled'],
  )
  const { Plaintext: opened } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened ?? []), Plaintext)
  await disconnect(world, storeId)
  await refused(
    kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId: storeId })),
    'CustomKeyStoreHasCMKsException',
    `Custom key store ${storeId} contains KMS keys.`,
  )
})
