/**
 * A key store in an HSM cluster of two nodes, which change the password of `kmsuser` with each connection:
 * either one uses the keys, and ends the connection in which the other one dies.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ConnectCustomKeyStoreCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { faultHsm, noFaultHsm } from '../pkcs11/fault-hsm.ts'
import { end } from '../start/serve-process.ts'
import { eventually, startNode, type Node } from '../start/node-process.ts'
import { temporaryFolder } from '../store/engines.ts'
import {
  skip as noPostgres,
  testDatabase,
  testedVersions,
} from '../store/postgres/shared-server.ts'
import {
  hsmSettings,
  keysInHsm,
  makeClusterStore,
  makeHsmKey,
  tokenLabel,
} from './cluster-store.ts'
import { decrypts, encrypt, reaches, settledMsMax } from './shared-store.ts'

const [version = 0] = testedVersions
const isKilled = ({ child }: Node): boolean => child.signalCode === 'SIGKILL'

test('two nodes share an HSM cluster', { skip: noFaultHsm ?? noPostgres }, async (t) => {
  const { url } = await testDatabase(t, version)
  const folder = temporaryFolder(t)
  const hsm = faultHsm(t)
  hsm.makeToken(tokenLabel)
  const settings = {
    ...hsmSettings(hsm, folder, ['rotate-pin=yes']),
    ...hsm.environment,
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${join(folder, 'seal.key')}`,
    TRENT_WORKERS: '1',
  }
  const nodes = [await startNode(t, settings), await startNode(t, settings)] as const
  const [{ client: a }, { client: b }] = nodes
  const CustomKeyStoreId = await makeClusterStore(a)
  const connect = (kms: KMSClient) =>
    kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const disconnect = (kms: KMSClient) =>
    kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }))

  // One node changes the password, and both use the keys then.
  const made: { readonly KeyId: string; readonly sealed: readonly Uint8Array[] }[] = []
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await connect(one)
    for (const kms of [a, b]) await reaches(kms, CustomKeyStoreId, 'CONNECTED')
    const KeyId = await makeHsmKey(other, CustomKeyStoreId)
    made.push({ KeyId, sealed: [await encrypt(one, KeyId), await encrypt(other, KeyId)] })
    for (const { sealed } of made) {
      for (const ciphertext of sealed) for (const kms of [a, b]) await decrypts(kms, ciphertext)
    }
    await assert.rejects(keysInHsm({ hsm }), { code: 'CKR_PIN_INCORRECT' })
    await disconnect(other)
    for (const kms of [a, b]) {
      await reaches(kms, CustomKeyStoreId, 'DISCONNECTED')
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
      assert.equal(KeyMetadata?.KeyState, 'Unavailable')
      await assert.rejects(encrypt(kms, KeyId), { name: 'KMSInvalidStateException' })
    }
  }

  // The node that connects dies when the HSM has the new password and no row says so yet.
  hsm.ask('C_SetPIN kill')
  // If it is this one, its answer may be lost.
  await connect(a).catch(() => undefined)
  await eventually(settledMsMax, async () => nodes.some(isKilled))
  const [survivor, ...more] = nodes.filter((node) => !isKilled(node))
  assert.ok(survivor !== undefined && more.length === 0)
  await reaches(survivor.client, CustomKeyStoreId, 'CONNECTED')
  for (const { KeyId, sealed } of made) {
    for (const ciphertext of sealed) await decrypts(survivor.client, ciphertext)
    await decrypts(survivor.client, await encrypt(survivor.client, KeyId))
  }
  assert.deepEqual(await end(survivor, 'SIGTERM'), { code: 0, signal: null })
})
