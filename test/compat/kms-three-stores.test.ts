/**
 * A mixed load of ordinary keys, keys in an HSM and external keys, while HSM and proxy are taken away and
 * returned: ordinary keys never notice, and afterwards every ciphertext opens.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { startFakeProxy } from '../keystores/external/fake-proxy.ts'
import { faultHsm, noFaultHsm } from '../pkcs11/fault-hsm.ts'
import { hsmSettings, makeClusterStore, makeHsmKey, tokenLabel } from './cluster-store.ts'
import { connect, makeExternalKey, makeStore } from './external-store.ts'
import { makeKey } from './sdk.ts'

const options = noFaultHsm === undefined ? {} : { skip: noFaultHsm }
const phaseMs = 1500

/** Encrypts and decrypts under one key until `end` is called. */
class Load {
  readonly sealed: (Uint8Array | undefined)[] = []
  failures: string[] = []
  #isRunning = true
  readonly #ended: Promise<void>

  constructor(kms: KMSClient, KeyId: string) {
    this.#ended = this.#run(kms, KeyId)
  }

  async #run(kms: KMSClient, KeyId: string): Promise<void> {
    while (this.#isRunning) {
      try {
        const Plaintext = Buffer.from(`${KeyId} ${this.sealed.length}`)
        const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
        this.sealed.push(CiphertextBlob)
        const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
        assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
      } catch (error) {
        this.failures.push(error instanceof Error ? error.name : String(error))
      }
      await sleep(5)
    }
  }

  /** The names of the errors since the last call. */
  taken(): readonly string[] {
    const names = [...new Set(this.failures)]
    this.failures = []
    return names
  }

  end(): Promise<void> {
    this.#isRunning = false
    return this.#ended
  }
}

test('ordinary keys never notice that an HSM and a proxy are away', options, async (t) => {
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const hsm = faultHsm(t)
  hsm.makeToken(tokenLabel)
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const all = { ...proxy.settings(directory), ...hsmSettings(hsm, directory) }
  const server = await startTestServer(all, { directory })
  t.after(() => server.stop())
  const kms = server.client()
  const world = { server, kms }
  const [external, cluster] = [await makeStore(kms), await makeClusterStore(kms)]
  assert.deepEqual(
    [await connect(world, external), await connect(world, cluster)],
    ['CONNECTED', 'CONNECTED'],
  )
  const loads = {
    ordinary: new Load(server.client(), (await makeKey(kms)).keyId),
    hsm: new Load(server.client(), await makeHsmKey(kms, cluster)),
    external: new Load(server.client(), await makeExternalKey(kms, external)),
  }
  const during = async (): Promise<Record<string, readonly string[]>> => {
    await sleep(phaseMs)
    return Object.fromEntries(Object.entries(loads).map(([name, load]) => [name, load.taken()]))
  }
  const answers = proxy.answers
  const none = { ordinary: [], hsm: [], external: [] }
  await sleep(phaseMs)
  assert.deepEqual(await during(), none)
  for (const [fault, reset] of [
    ['C_Encrypt fail 30', true],
    ['C_Encrypt crash', false],
  ] as const) {
    hsm.ask(fault, 'C_Login fail 30')
    proxy.answers = () => (reset ? 'reset' : 'hang')
    const away = await during()
    assert.deepEqual(away['ordinary'], [], fault)
    assert.deepEqual(away['hsm'], ['KMSInvalidStateException'], fault)
    assert.deepEqual(away['external'], ['KMSInvalidStateException'], fault)
    hsm.ask()
    proxy.answers = answers
    // A log-in that failed answers for a second.
    await during()
    assert.deepEqual(await during(), none)
  }
  for (const load of Object.values(loads)) {
    await load.end()
    assert.ok(load.sealed.length > 20, `${load.sealed.length}`)
    for (const CiphertextBlob of load.sealed) {
      await kms.send(new DecryptCommand({ CiphertextBlob }))
    }
  }
})
