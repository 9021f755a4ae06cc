// The bytes of keys: AWS's encodings and sizes, opened again as the key spec that they were made for.
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import {
  generateKeyPair,
  generateMacKey,
  macSpecs,
  openMaterial,
  pairSpecs,
  publicKeyDer,
  publicKeyOf,
} from '../../../src/crypto/algorithms/key-forms.ts'
import type { KeySpec } from '../../../src/model/key.ts'

/** Private and public sizes in bytes; RSA private keys vary by the lengths of their integers. */
const sizes: readonly [KeySpec, readonly number[], number][] = [
  ['RSA_2048', [1214, 1215, 1216, 1217, 1218, 1219], 294],
  ['RSA_3072', [1790, 1791, 1792, 1793, 1794, 1795, 1796], 422],
  ['RSA_4096', [2370, 2371, 2372, 2373, 2374, 2375, 2376], 550],
  ['ECC_NIST_P256', [150], 91],
  ['ECC_NIST_P384', [194], 120],
  ['ECC_NIST_P521', [250], 158],
  ['ECC_SECG_P256K1', [144], 88],
  ['ECC_NIST_EDWARDS25519', [48], 44],
  ['ML_DSA_44', [54], 1334],
  ['ML_DSA_65', [54], 1974],
  ['ML_DSA_87', [54], 2614],
  ['ML_KEM_512', [86], 822],
  ['ML_KEM_768', [86], 1206],
  ['ML_KEM_1024', [86], 1590],
]

const pairs = new Map(pairSpecs.map((spec) => [spec, generateKeyPair(spec)]))

for (const [spec, privateBytes, publicBytes] of sizes) {
  test(`${spec}: a pair is of AWS's sizes, and its halves belong together`, () => {
    const pair = pairs.get(spec)
    assert(pair !== undefined)
    assert(privateBytes.includes(pair.privateKey.length), `${pair.privateKey.length} bytes`)
    assert.equal(pair.publicKey.length, publicBytes)
    const privateKey = openMaterial(spec, pair.privateKey)
    assert.deepEqual(publicKeyDer(privateKey), pair.publicKey)
    assert.deepEqual(publicKeyDer(publicKeyOf(privateKey)), pair.publicKey)
    // A point computed from the scalar alone is the one that the private key carries.
    if (spec.startsWith('ECC_') && privateKey.asymmetricKeyType === 'ec') {
      const recomputed = createPrivateKey({
        key: privateKey.export({ format: 'raw-private' }),
        format: 'raw-private',
        asymmetricKeyType: 'ec',
        namedCurve: privateKey.asymmetricKeyDetails?.namedCurve,
      })
      assert.deepEqual(publicKeyDer(recomputed), pair.publicKey)
    }
  })
}

test('the sizes stand for every key spec of key pairs', () => {
  assert.deepEqual(new Set(sizes.map(([spec]) => spec)), new Set(pairSpecs))
})

test('RSA public keys have the exponent 65537 and a modulus of the full length', () => {
  for (const bits of [2048, 3072, 4096]) {
    const pair = pairs.get(`RSA_${bits}` as KeySpec)
    assert(pair !== undefined)
    const key = createPublicKey({ key: pair.publicKey, format: 'der', type: 'spki' })
    assert.equal(key.asymmetricKeyDetails?.publicExponent, 65537n)
    assert.equal(key.asymmetricKeyDetails?.modulusLength, bits)
  }
})

test('private keys on curves name the curve twice and carry the point, byte for byte', () => {
  const pair = pairs.get('ECC_SECG_P256K1')
  assert(pair !== undefined)
  const key = openMaterial('ECC_SECG_P256K1', pair.privateKey)
  const scalar = key.export({ format: 'raw-private' }).toString('hex')
  const point = pair.publicKey.subarray(-65).toString('hex')
  assert.equal(
    pair.privateKey.toString('hex'),
    `30818d020100301006072a8648ce3d020106052b8104000a047630740201010420${scalar}` +
      `a00706052b8104000aa144034200${point}`,
  )
})

test('ML-KEM and ML-DSA private keys are seeds, 64 and 32 bytes', () => {
  for (const [spec, header, bytes] of [
    ['ML_KEM_512', '3054020100300b060960864801650304040104428040', 64],
    ['ML_KEM_768', '3054020100300b060960864801650304040204428040', 64],
    ['ML_KEM_1024', '3054020100300b060960864801650304040304428040', 64],
    ['ML_DSA_44', '3034020100300b060960864801650304031104228020', 32],
    ['ML_DSA_65', '3034020100300b060960864801650304031204228020', 32],
    ['ML_DSA_87', '3034020100300b060960864801650304031304228020', 32],
  ] as const) {
    const der = pairs.get(spec)?.privateKey ?? Buffer.alloc(0)
    assert.equal(der.subarray(0, -bytes).toString('hex'), header)
  }
})

test('no two keys ever share material', () => {
  const quick = pairSpecs.filter((spec) => !spec.startsWith('RSA'))
  for (const spec of quick) {
    const made = Array.from({ length: 20 }, () => generateKeyPair(spec).privateKey.toString('hex'))
    assert.equal(new Set(made).size, 20)
  }
  for (const spec of macSpecs) {
    const made = Array.from({ length: 20 }, () => generateMacKey(spec).toString('hex'))
    assert.equal(new Set(made).size, 20)
  }
})

test('material opens as its own key spec only', () => {
  for (const [spec, pair] of pairs) {
    for (const other of pairSpecs) {
      if (other === spec) continue
      assert.throws(() => openMaterial(other, pair.privateKey), `${spec} as ${other}`)
    }
    assert.throws(() => openMaterial(spec, pair.privateKey.subarray(0, -1)))
    assert.throws(() => openMaterial(spec, pair.publicKey))
    assert.throws(() => generateMacKey(spec), assert.AssertionError)
  }
  assert.throws(() => generateKeyPair('HMAC_256'), assert.AssertionError)
  assert.throws(() => openMaterial('SYMMETRIC_DEFAULT', Buffer.alloc(32)), assert.AssertionError)
})

test('an HMAC key opens to the bytes that it was made of, imported lengths too', () => {
  for (const length of [28, 32, 48, 64, 128]) {
    const material = Buffer.alloc(length, length)
    assert.deepEqual(openMaterial('HMAC_224', material).export(), material)
  }
})
