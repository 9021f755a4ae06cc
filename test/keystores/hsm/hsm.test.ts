/** Destroying keys in an HSM that hangs, and keys of a deleted key store. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHsmKeyStores } from '../../../src/keystores/hsm/hsm.ts'
import { wrapPasswords } from '../../../src/crypto/key-store-secret.ts'
import type { CustomKeyStoreRecord } from '../../../src/model/custom-key-store.ts'
import { realRandom, testKeyring } from '../../crypto/fixed.ts'
import { clusterId, hsmCluster, newClusterStore } from '../../operations/kms/cluster-stores.ts'
import { faultHsm, noFaultHsm } from '../../pkcs11/fault-hsm.ts'
import { pin } from '../../pkcs11/soft-hsm.ts'

const options = noFaultHsm === undefined ? {} : { skip: noFaultHsm }
const place = { accountId: '111122223333', region: 'us-west-2' }

test('many keys to destroy wait for an HSM that hangs once in a minute', options, async (t) => {
  const hsm = faultHsm(t)
  hsm.makeToken('kms')
  const keyring = testKeyring()
  const stores = new Map<string, CustomKeyStoreRecord>()
  for (const storeId of ['cks-00000000000000001', 'cks-00000000000000002']) {
    const row = { ...newClusterStore(place), storeId }
    const wrapped = wrapPasswords(keyring, row, { current: Buffer.from(pin) })
    stores.set(storeId, { ...row, ...wrapped })
  }
  const [one = '', other = ''] = stores.keys()
  const { library, environment } = hsm
  const failures: string[] = []
  let now = 1_000_000
  const keyStores = createHsmKeyStores({
    clusters: new Map([[clusterId, { ...hsmCluster, place: { library, label: 'kms' } }]]),
    environment,
    keyring,
    materials: {
      current: () => assert.fail('nothing is encrypted'),
      find: () => assert.fail('nothing is decrypted'),
      forget: () => undefined,
    },
    random: realRandom,
    clock: { now: () => now },
    createMaterial: () => assert.fail('no key is made'),
    noteObject: () => assert.fail('no key is made'),
    cachedKeyStore: () => assert.fail('the database is asked'),
    findKeyStore: async ({ storeId }) => stores.get(storeId),
    onCall: ({ error }) => void (error && failures.push(error.code)),
  })
  t.after(() => keyStores.close())
  const destroy = (storeId: string) =>
    keyStores.destroy({ ...place, storeId, keyId: 'key', materialId: '01' })
  assert.deepEqual([await destroy(one), await destroy(other)], [true, true])
  hsm.ask('C_FindObjectsInit hang')
  assert.deepEqual(await Promise.all([one, other].map(destroy)), [false, false])
  hsm.ask()
  now += 59_999
  assert.deepEqual([await destroy(one), await destroy(other)], [false, false])
  assert.deepEqual(failures, ['TIMEOUT', 'TIMEOUT'])
  now += 1
  assert.equal(await destroy(one), true)
  // A clock that was set back ends the pause.
  now -= 3_600_000
  assert.equal(await destroy(other), true)
  hsm.ask('C_FindObjectsInit fail 30')
  assert.equal(await destroy(one), false)
  // Nothing is left to do for a key store that was deleted.
  stores.clear()
  assert.equal(await destroy(one), true)
  assert.deepEqual(failures, ['TIMEOUT', 'TIMEOUT', 'CKR_DEVICE_ERROR'])
})
