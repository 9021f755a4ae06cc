/** Key pairs and HMAC keys in the built-in store: what goes to the slow lane, and what no key may do. */
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { after, test } from 'node:test'
import { createSlowLane, type SlowLane } from '../../../src/crypto/slow-lane.ts'
import {
  createBuiltinKeyStore,
  type BuiltinKeyStore,
} from '../../../src/keystores/builtin/builtin.ts'
import type { KeyRecord, KeySpec, KeyUsage, MaterialRecord } from '../../../src/model/key.ts'
import { realRandom, testKeyring } from '../../crypto/fixed.ts'

const signal = new AbortController().signal
const lane = createSlowLane({ queueMax: 64 })
after(() => lane.close())

interface Bench {
  readonly store: BuiltinKeyStore
  /** Names of the tasks that the store gave to its lane. */
  readonly tasks: string[]
  readonly loads: () => number
  readonly newKey: (spec: KeySpec, usage: KeyUsage) => Promise<KeyRecord>
}

function bench(): Bench {
  const rows = new Map<string, MaterialRecord>()
  const tasks: string[] = []
  let loads = 0
  let keys = 0
  const watched: SlowLane = {
    run: (name, input, until) => {
      tasks.push(name)
      return lane.run(name, input, until)
    },
    close: lane.close,
  }
  const store = createBuiltinKeyStore({
    keyring: testKeyring(),
    findMaterial: async (materialId) => {
      loads += 1
      return rows.get(materialId)
    },
    random: realRandom,
    clock: { now: () => 0, system: () => 0 },
    slowLane: watched,
  })
  const newKey = async (spec: KeySpec, usage: KeyUsage): Promise<KeyRecord> => {
    const ref = { accountId: '000000000000', region: 'us-west-2', keyId: `key-${(keys += 1)}` }
    const origin = 'AWS_KMS'
    const material = await store.createMaterial(
      { ...ref, spec, usage, origin, createdAt: 1 },
      signal,
    )
    rows.set(material.materialId, material)
    tasks.length = 0
    return {
      ...ref,
      spec,
      usage,
      origin,
      createdAt: 1,
      manager: 'CUSTOMER',
      state: 'Enabled',
      description: '',
      currentMaterialId: material.materialId,
      policy: '',
      policyPrincipals: {},
      tags: [],
      rowVersion: 1,
    }
  }
  return { store, tasks, loads: () => loads, newKey }
}

test('what takes a millisecond goes to the lane, and the rest does not', async () => {
  const { store, tasks, newKey } = bench()
  const message = { bytes: randomBytes(32), type: 'DIGEST' } as const
  for (const [spec, algorithm, slow] of [
    ['RSA_2048', 'RSASSA_PSS_SHA_256', []],
    ['RSA_3072', 'RSASSA_PSS_SHA_256', ['sign']],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', []],
  ] as const) {
    const key = await newKey(spec, 'SIGN_VERIFY')
    const signature = await store.sign(key, algorithm, message, signal)
    assert.equal(await store.verify(key, algorithm, message, signature, signal), true)
    assert.deepEqual(tasks, slow, spec)
  }
  const curve = await newKey('ECC_NIST_P521', 'SIGN_VERIFY')
  const raw = { bytes: randomBytes(4096), type: 'RAW' } as const
  const copy = Buffer.from(raw.bytes)
  const signature = await store.sign(curve, 'ECDSA_SHA_512', raw, signal)
  assert.equal(await store.verify(curve, 'ECDSA_SHA_512', raw, signature, signal), true)
  assert.deepEqual(tasks, ['sign', 'verify'])
  // The input is still there, because the lane got copies.
  assert.deepEqual([raw.bytes, signature.length > 100], [copy, true])
})

test('what the lane refuses is what the store refuses', async () => {
  const { store, tasks, newKey } = bench()
  const rsa = await newKey('RSA_4096', 'ENCRYPT_DECRYPT')
  const sealed = await store.encryptBare(rsa, 'RSAES_OAEP_SHA_1', Buffer.from('text'), signal)
  const opened = await store.decryptBare(rsa, 'RSAES_OAEP_SHA_1', sealed, signal)
  assert.equal(Buffer.from(opened).toString(), 'text')
  await assert.rejects(async () => store.decryptBare(rsa, 'RSAES_OAEP_SHA_256', sealed, signal), {
    name: 'InvalidCiphertextException',
    message: '',
  })
  assert.deepEqual(tasks, ['decrypt', 'decrypt'])
  const agreement = await newKey('ECC_NIST_P521', 'KEY_AGREEMENT')
  await assert.rejects(store.deriveSharedSecret(agreement, 'ECDH', Buffer.of(1), signal), {
    name: 'ValidationException',
    message: '',
  })
  assert.deepEqual(tasks, ['derive-shared-secret'])
})

test('a key is used by the algorithms of its own spec and usage alone', async () => {
  const { store, newKey } = bench()
  const bytes = Buffer.alloc(32)
  const message = { bytes, type: 'RAW' } as const
  const signer = await newKey('RSA_2048', 'SIGN_VERIFY')
  const encrypter = await newKey('RSA_2048', 'ENCRYPT_DECRYPT')
  const mac = await newKey('HMAC_256', 'GENERATE_VERIFY_MAC')
  const wrong = { name: 'AssertionError' }
  for (const call of [
    () => store.sign(encrypter, 'RSASSA_PSS_SHA_256', message, signal),
    () => store.sign(signer, 'ECDSA_SHA_256', message, signal),
    () => store.sign(signer, '__proto__', message, signal),
    () => store.encryptBare(signer, 'RSAES_OAEP_SHA_256', bytes, signal),
    () => store.decryptBare(signer, 'RSAES_OAEP_SHA_256', Buffer.alloc(256), signal),
    () => store.generateMac(mac, 'HMAC_SHA_512', bytes, signal),
    () => store.verifyMac(signer, 'HMAC_SHA_256', bytes, bytes, signal),
    () => store.encapsulate(signer, 'ML_KEM', signal),
  ]) {
    await assert.rejects(async () => call(), wrong)
  }
})

test('the public key is derived once, kept with the material, and verifies without the store', async () => {
  const { store, newKey, loads } = bench()
  const key = await newKey('ECC_NIST_EDWARDS25519', 'SIGN_VERIFY')
  const [one, other] = [await store.publicKey(key, signal), await store.publicKey(key, signal)]
  assert.equal(one, other)
  assert.equal(loads(), 1)
  const message = randomBytes(10)
  const signed = { bytes: message, type: 'RAW' } as const
  const signature = await store.sign(key, 'ED25519_SHA_512', signed, signal)
  const publicKey = createPublicKey({ key: Buffer.from(one), format: 'der', type: 'spki' })
  assert.equal(verify(null, message, publicKey, signature), true)
})

test('every operation ends at once when its call has gone away', async () => {
  const { store, newKey } = bench()
  const gone = AbortSignal.abort()
  const aborted = { name: 'AbortError' }
  const bytes = Buffer.alloc(32)
  const signed = { bytes, type: 'RAW' } as const
  const signer = await newKey('ECC_NIST_P256', 'SIGN_VERIFY')
  const mac = await newKey('HMAC_224', 'GENERATE_VERIFY_MAC')
  const kem = await newKey('ML_KEM_512', 'ENCAPSULATE_DECAPSULATE')
  for (const call of [
    () => store.publicKey(signer, gone),
    () => store.sign(signer, 'ECDSA_SHA_256', signed, gone),
    () => store.verify(signer, 'ECDSA_SHA_256', signed, bytes, gone),
    () => store.generateMac(mac, 'HMAC_SHA_224', bytes, gone),
    () => store.verifyMac(mac, 'HMAC_SHA_224', bytes, bytes, gone),
    () => store.encapsulate(kem, 'ML_KEM', gone),
    () => store.decapsulate(kem, 'ML_KEM', bytes, gone),
    () => store.generateKeyPair('RSA_4096', gone),
  ]) {
    await assert.rejects(async () => call(), aborted)
  }
})

test('a pair for a caller is in nobody’s material, and differs each time', async () => {
  const { store, tasks } = bench()
  const one = await store.generateKeyPair('ECC_NIST_P384', signal)
  const other = await store.generateKeyPair('ECC_NIST_P384', signal)
  assert.notDeepEqual(one.publicKey, other.publicKey)
  assert.deepEqual([one.privateKey.length, one.publicKey.length], [194, 120])
  assert.deepEqual(tasks, ['generate-key-pair', 'generate-key-pair'])
})
