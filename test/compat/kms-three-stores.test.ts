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
import { eventually } from '../start/node-process.ts'
import { hsmSettings, makeClusterStore, makeHsmKey, tokenLabel } from './cluster-store.ts'
import { connect, makeExternalKey, makeStore } from './external-store.ts'
import { makeKey } from './sdk.ts'

const options = noFaultHsm === undefined ? {} : { skip: noFaultHsm }
const roundsMin = 5
const boundMs = 120_000

/** Encrypts and decrypts under one key until `end` is called. */
class Load {
  readonly sealed: (Uint8Array | undefined)[] = []
  failures: string[] = []
  /** Finished rounds. */
  rounds = 0
  /** Successful rounds since the last failure. */
  successes = 0
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
        this.successes += 1
      } catch (error) {
        this.failures.push(error instanceof Error ? error.name : String(error))
        this.successes = 0
      }
      this.rounds += 1
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
  const each = Object.values(loads)
  const until = (holds: (load: Load) => boolean) =>
    eventually(boundMs, async () => each.every(holds))
  /** The errors of each load in the next rounds. */
  const next = async (): Promise<readonly (readonly string[])[]> => {
    const before = new Map(each.map((load) => [load, load.rounds]))
    await until((load) => load.rounds >= (before.get(load) ?? 0) + roundsMin)
    return each.map((load) => load.taken())
  }
  /** A log-in that failed answers for a second. */
  const recovered = async (): Promise<void> => {
    for (const load of each) load.successes = 0
    await until(({ successes }) => successes >= roundsMin)
    const [ordinary] = each.map((load) => load.taken())
    assert.deepEqual(ordinary, [])
    // A proxy has 250 ms, which a busy machine may need.
    const [stillOrdinary, hsmErrors] = await next()
    assert.deepEqual([stillOrdinary, hsmErrors], [[], []])
  }
  const answers = proxy.answers
  const invalidState = ['KMSInvalidStateException']
  await recovered()
  for (const [fault, reset] of [
    ['C_Encrypt fail 30', true],
    ['C_Encrypt crash', false],
  ] as const) {
    hsm.ask(fault, 'C_Login fail 30')
    proxy.answers = () => (reset ? 'reset' : 'hang')
    assert.deepEqual(await next(), [[], invalidState, invalidState], fault)
    hsm.ask()
    proxy.answers = answers
    await recovered()
  }
  for (const load of each) {
    await load.end()
    for (const CiphertextBlob of load.sealed) {
      await kms.send(new DecryptCommand({ CiphertextBlob }))
    }
  }
})
