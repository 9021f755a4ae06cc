/**
 * A server that is killed while it connects, disconnects and deletes an external key store, and while it
 * creates and deletes keys there: nothing is half done, and no ciphertext is lost.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
} from '@aws-sdk/client-kms'
import { makeExternalKey, makeStore } from '../compat/external-store.ts'
import { newProxyKey, startFakeProxy, type FakeProxy } from '../keystores/external/fake-proxy.ts'
import { temporaryFolder, type Settings } from '../start/serve-process.ts'
import { dieAtEachStep } from './dying-key-store.ts'
import { region, settings } from './fixed-account.ts'
import { openMortalServer } from './mortal-server.ts'

/** The server that dies is not asked to be fast. */
const patient = new URL('../keystores/external/patient.ts', import.meta.url)

function settingsOf(proxy: FakeProxy, folder: string): Settings {
  const NODE_OPTIONS = `--import=${patient.href}`
  return { ...settings, ...proxy.settings(folder), TRENT_TEST_API: 'on', NODE_OPTIONS }
}

test('a server that dies at any step leaves nothing half done', async (t) => {
  const folder = temporaryFolder(t)
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const server = await openMortalServer(t, folder, settingsOf(proxy, folder))
  const kms = () => server.client(region)
  const storeId = await makeStore(kms())
  const asked: string[] = []
  const { keyIds } = await dieAtEachStep(server, storeId, (client) => {
    const xksKeyId = `asked-${asked.length}`
    asked.push(xksKeyId)
    proxy.keys.set(xksKeyId, newProxyKey())
    return makeExternalKey(client, storeId, xksKeyId)
  })
  // An external key is taken by the KMS key that it stands behind, and by nothing else.
  const taken = new Set<string | undefined>()
  for (const KeyId of await keyIds()) {
    const { KeyMetadata } = await kms().send(new DescribeKeyCommand({ KeyId }))
    taken.add(KeyMetadata?.XksKeyConfiguration?.Id)
  }
  assert.equal(asked.length, 4)
  for (const xksKeyId of asked) {
    const again = makeExternalKey(kms(), storeId, xksKeyId)
    if (taken.has(xksKeyId)) await assert.rejects(again, { name: 'XksKeyAlreadyInUseException' })
    else await again
  }
  await server.stop()
})

test('a key store that was being deleted when the server died is there or gone', async (t) => {
  const folder = temporaryFolder(t)
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const server = await openMortalServer(t, folder, settingsOf(proxy, folder))
  const kms = () => server.client(region)
  for (const afterMs of [0, 2, 5, 10, 20]) {
    const CustomKeyStoreId = await makeStore(kms())
    const remove = () => kms().send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
    const answered = await server.dieDuring(remove, afterMs)
    const { CustomKeyStores = [] } = await kms().send(new DescribeCustomKeyStoresCommand({}))
    const left = CustomKeyStores.map((each) => [each.CustomKeyStoreId, each.ConnectionState])
    if (answered !== undefined) assert.deepEqual(left, [])
    if (left.length === 0) continue
    assert.deepEqual(left, [[CustomKeyStoreId, 'DISCONNECTED']])
    await remove()
  }
  await server.stop()
})
