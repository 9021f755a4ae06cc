/**
 * A server that is killed while it connects and disconnects a key store in an HSM, and while it creates and
 * deletes keys there: nothing is half done, nothing is left in the HSM, and no ciphertext is lost.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConnectCustomKeyStoreCommand,
  DecryptCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  EncryptCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { hsmSettings, makeClusterStore, makeHsmKey, tokenLabel } from '../compat/cluster-store.ts'
import { advance } from '../compat/test-clock.ts'
import { noSoftHsm, softHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { region, settings } from './fixed-account.ts'
import { openMortalServer } from './mortal-server.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }
const Plaintext = Buffer.from('plaintext')
const settledMsMax = 60_000

async function stateOf(kms: KMSClient): Promise<string | undefined> {
  const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}))
  return CustomKeyStores?.[0]?.ConnectionState
}

/** Waits until the store is at an end of its way. */
async function settled(kms: KMSClient): Promise<string | undefined> {
  const until = performance.now() + settledMsMax
  for (;;) {
    const state = await stateOf(kms)
    if (state?.endsWith('ING') !== true) return state
    assert.ok(performance.now() < until, state)
    await sleep(100)
  }
}

async function keyIds(kms: KMSClient): Promise<readonly string[]> {
  const { Keys } = await kms.send(new ListKeysCommand({}))
  return (Keys ?? []).map(({ KeyId }) => String(KeyId))
}

test('a server that dies at any step leaves nothing half done', options, async (t) => {
  const folder = temporaryFolder(t)
  const hsm = softHsm(t)
  hsm.makeToken(tokenLabel)
  const server = await openMortalServer(t, folder, {
    ...settings,
    ...hsmSettings(hsm, folder, ['rotate-pin=yes']),
    ...hsm.environment,
  })
  const kms = (): KMSClient => server.client(region)
  const CustomKeyStoreId = await makeClusterStore(kms())
  const sealed = new Map<string, Uint8Array | undefined>()
  const connect = () => kms().send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const disconnect = () => kms().send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const sealAll = async (): Promise<void> => {
    for (const KeyId of await keyIds(kms())) {
      if (sealed.has(KeyId)) continue
      const { CiphertextBlob } = await kms().send(new EncryptCommand({ KeyId, Plaintext }))
      sealed.set(KeyId, CiphertextBlob)
    }
  }
  for (const afterMs of [150, 900]) {
    // The call answers at once; the job is at work when the server dies.
    await server.dieDuring(() => connect().then(() => sleep(afterMs)), afterMs)
    if ((await settled(kms())) === 'DISCONNECTED') await connect()
    assert.equal(await settled(kms()), 'CONNECTED')
    await server.dieDuring(() => makeHsmKey(kms(), CustomKeyStoreId), afterMs / 8)
    await makeHsmKey(kms(), CustomKeyStoreId)
    await sealAll()
    const [dying] = [...sealed.keys()].slice(-1)
    await kms().send(new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 7 }))
    await server.dieDuring(() => advance(server.url(), '8d'), afterMs / 8)
    await advance(server.url(), '8d')
    await assert.rejects(kms().send(new DescribeKeyCommand({ KeyId: dying })), {
      name: 'NotFoundException',
    })
    sealed.delete(String(dying))
    await server.dieDuring(() => disconnect().then(() => sleep(afterMs)), afterMs / 4)
    if ((await settled(kms())) === 'CONNECTED') await disconnect()
    assert.equal(await settled(kms()), 'DISCONNECTED')
  }
  await connect()
  assert.equal(await settled(kms()), 'CONNECTED')
  // What a death left in the HSM is destroyed by now.
  for (let minutes = 0; minutes < 4; minutes += 1) await advance(server.url(), '1m')
  assert.deepEqual((await keyIds(kms())).toSorted(), [...sealed.keys()].toSorted())
  assert.equal(hsm.countObjects(), sealed.size)
  for (const CiphertextBlob of sealed.values()) {
    const opened = await kms().send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  }
  assert.equal(server.deaths(), 8)
  await server.stop()
})
