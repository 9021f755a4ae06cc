/**
 * A server that is killed while it connects and disconnects a custom key store, and while it creates and
 * deletes keys there.
 * @module
 */
import assert from 'node:assert/strict'
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
import { advance } from '../compat/test-clock.ts'
import { region } from './fixed-account.ts'
import type { MortalServer } from './mortal-server.ts'

const Plaintext = Buffer.from('plaintext')
const settledMsMax = 60_000

export interface DyingKeyStore {
  /** Keys that are there, each with a ciphertext under it. */
  readonly sealed: ReadonlyMap<string, Uint8Array | undefined>
  readonly keyIds: () => Promise<readonly string[]>
}

/** Waits until the store is at an end of its way. */
async function settled(kms: KMSClient): Promise<string | undefined> {
  const until = performance.now() + settledMsMax
  for (;;) {
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}))
    const state = CustomKeyStores?.[0]?.ConnectionState
    if (state?.endsWith('ING') !== true) return state
    assert.ok(performance.now() < until, state)
    await sleep(100)
  }
}

/** Kills the server eight times. The only key store of the account is connected afterwards, and nothing is lost. */
export async function dieAtEachStep(
  server: MortalServer,
  CustomKeyStoreId: string,
  makeKey: (kms: KMSClient) => Promise<string>,
): Promise<DyingKeyStore> {
  const kms = (): KMSClient => server.client(region)
  const sealed = new Map<string, Uint8Array | undefined>()
  const connect = () => kms().send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const disconnect = () => kms().send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const keyIds = async (): Promise<readonly string[]> =>
    ((await kms().send(new ListKeysCommand({}))).Keys ?? []).map(({ KeyId }) => String(KeyId))
  const sealAll = async (): Promise<void> => {
    for (const KeyId of await keyIds()) {
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
    await server.dieDuring(() => makeKey(kms()), afterMs / 8)
    await makeKey(kms())
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
  assert.deepEqual((await keyIds()).toSorted(), [...sealed.keys()].toSorted())
  for (const CiphertextBlob of sealed.values()) {
    const opened = await kms().send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  }
  assert.equal(server.deaths(), 8)
  return { sealed, keyIds }
}
