/**
 * An external key store of two nodes: either one connects it, uses its keys and takes up what the other began.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ConnectCustomKeyStoreCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { newProxyKey, startFakeProxy, type FakeProxy } from '../keystores/external/fake-proxy.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { makeExternalKey, makeStore } from './external-store.ts'
import { decrypts, encrypt, reaches } from './shared-store.ts'

const [version = 0] = testedVersions
async function share(
  [a, b]: readonly [KMSClient, KMSClient],
  proxy: FakeProxy,
  stopFirst: () => Promise<void>,
): Promise<void> {
  const CustomKeyStoreId = await makeStore(a)
  await a.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  for (const kms of [a, b]) await reaches(kms, CustomKeyStoreId, 'CONNECTED')
  const KeyId = await makeExternalKey(b, CustomKeyStoreId)
  const [onA, onB] = [await encrypt(a, KeyId), await encrypt(b, KeyId)]
  await decrypts(b, onA)
  await decrypts(a, onB)

  // An external key stands behind one KMS key, even if both nodes are asked at the same moment.
  proxy.keys.set('wanted', newProxyKey())
  const wanted = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'wanted' } as const
  const outcomes = await Promise.all(
    [a, b, a, b].map((kms) =>
      kms.send(new CreateKeyCommand(wanted)).then(
        () => 'made',
        (error: Error) => error.name,
      ),
    ),
  )
  assert.deepEqual(outcomes.toSorted(), [
    ...Array<string>(3).fill('XksKeyAlreadyInUseException'),
    'made',
  ])

  await b.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  for (const kms of [a, b]) {
    await reaches(kms, CustomKeyStoreId, 'DISCONNECTED')
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    assert.equal(KeyMetadata?.KeyState, 'Unavailable')
    await assert.rejects(encrypt(kms, KeyId), { name: 'KMSInvalidStateException' })
  }

  // The other node ends what the first one has begun.
  await a.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  await stopFirst()
  await reaches(b, CustomKeyStoreId, 'CONNECTED')
  await decrypts(b, onA)
}

test('two nodes share an external key store', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const folder = temporaryFolder(t)
  const settings = {
    ...proxy.settings(folder),
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${join(folder, 'seal.key')}`,
  }
  const [first, second] = [await startTestServer(settings), await startTestServer(settings)]
  try {
    await share([first.client(), second.client()], proxy, () => first.server.stop())
  } finally {
    // Before the database goes.
    for (const server of [first, second]) await server.stop()
  }
})
