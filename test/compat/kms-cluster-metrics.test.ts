/** Metrics of HSMs, the health that Trent asks for metrics alone, and the request quota of a key store. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EncryptCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import type { TestServer } from '../harness.ts'
import { faultHsm, noFaultHsm } from '../pkcs11/fault-hsm.ts'
import { noSoftHsm } from '../pkcs11/soft-hsm.ts'
import { eventually } from '../start/node-process.ts'
import { makeClusterStore, makeHsmKey, startHsmWorld } from './cluster-store.ts'
import { connect, entryOf } from './external-store.ts'
import { makeKey } from './sdk.ts'
import { advance } from './test-clock.ts'

const Plaintext = Buffer.from('x')

async function figure({ url }: TestServer, series: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.slice(series.length))
}
const callsOf = (operation: string) => `trent_hsm_seconds_count{operation="${operation}"}`
const errorsOf = (operation: string, failure: string) =>
  `trent_hsm_errors_total{operation="${operation}",failure="${failure}"}`

test(
  'calls to an HSM, their failures and its health are metrics',
  noFaultHsm === undefined ? {} : { skip: noFaultHsm },
  async (t) => {
    const hsm = faultHsm(t)
    const world = await startHsmWorld(t, { hsm })
    const { kms, server } = world
    const storeId = await makeClusterStore(kms)
    await connect(world, storeId)
    const KeyId = await makeHsmKey(kms, storeId)
    const encrypt = () => kms.send(new EncryptCommand({ KeyId, Plaintext }))
    await encrypt()
    hsm.ask('C_Encrypt fail 30') // CKR_DEVICE_ERROR
    await assert.rejects(encrypt())
    hsm.ask('C_EncryptInit fail 60') // CKR_KEY_HANDLE_INVALID
    await assert.rejects(encrypt())
    for (const [series, value] of [
      [callsOf('Connect'), 1],
      [callsOf('GenerateKey'), 1],
      [callsOf('Encrypt'), 3],
      [errorsOf('Encrypt', 'NETWORK_ERRORS'), 1],
      [errorsOf('Encrypt', 'KEY_NOT_FOUND'), 1],
      [errorsOf('Connect', 'NETWORK_ERRORS'), 0],
    ] as const) {
      assert.equal(await figure(server, series), value, series)
    }
    const asked = await figure(server, callsOf('HealthCheck'))
    hsm.ask('C_GenerateRandom fail 30')
    await advance(server.url, '6m')
    const failed = errorsOf('HealthCheck', 'NETWORK_ERRORS')
    await eventually(60_000, async () => (await figure(server, failed)) === 1)
    assert.equal((await entryOf(kms, storeId)).ConnectionState, 'CONNECTED')
    hsm.ask()
    await advance(server.url, '6m')
    const checked = async (): Promise<number> => figure(server, callsOf('HealthCheck'))
    await eventually(60_000, async () => (await checked()) === asked + 2)
    assert.equal(await figure(server, failed), 1)
    await encrypt()
  },
)

test(
  'a key store in an HSM has a request quota for its keys, and nothing else uses it',
  noSoftHsm === undefined ? {} : { skip: noSoftHsm },
  async (t) => {
    const world = await startHsmWorld(t, {
      more: { TRENT_QUOTA_OVERRIDES: 'custom-key-store=0.001' },
    })
    const { kms, server } = world
    const CustomKeyStoreId = await makeClusterStore(kms)
    await connect(world, CustomKeyStoreId)
    const keys = [await makeHsmKey(kms, CustomKeyStoreId), await makeHsmKey(kms, CustomKeyStoreId)]
    await kms.send(new EncryptCommand({ KeyId: keys[0], Plaintext }))
    for (const KeyId of keys) {
      await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext })), {
        name: 'ThrottlingException',
        message:
          'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      })
    }
    assert.equal(await figure(server, 'trent_key_store_throttled_total'), 2)
    // What is refused never reaches the HSM.
    assert.equal(await figure(server, callsOf('Encrypt')), 1)
    const { keyId: ordinary } = await makeKey(kms)
    for (let calls = 0; calls < 3; calls += 1) {
      await kms.send(new EncryptCommand({ KeyId: ordinary, Plaintext }))
      await kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId }))
    }
  },
)
