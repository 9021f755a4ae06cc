// RSA-OAEP, HMAC, ECDH and ML-KEM: round trips, sizes at their limits, and refusals that say nothing.
import assert from 'node:assert/strict'
import { constants, publicEncrypt, randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { deriveSharedSecret } from '../../../src/crypto/algorithms/agreement.ts'
import { decapsulate, encapsulate } from '../../../src/crypto/algorithms/encapsulation.ts'
import { generateMacKey, macSpecs, openMaterial } from '../../../src/crypto/algorithms/key-forms.ts'
import { generateMac, verifyMac } from '../../../src/crypto/algorithms/mac.ts'
import { decrypt, encrypt, plaintextBytesMax } from '../../../src/crypto/algorithms/oaep.ts'
import type {
  EncryptionAlgorithm,
  KemAlgorithm,
  MacAlgorithm,
} from '../../../src/crypto/algorithms/table.ts'
import { algorithms, encryptionAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { KmsError } from '../../../src/errors.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import { generatePair } from './keys.ts'

const rsa = new Map(
  (['RSA_2048', 'RSA_3072', 'RSA_4096'] as const).map((spec) => [spec, generatePair(spec)]),
)
const oaepRows = algorithms.filter((row) => row.usage === 'ENCRYPT_DECRYPT')
const limits: readonly [EncryptionAlgorithm['name'], KeySpec, number, number][] = [
  ['RSAES_OAEP_SHA_1', 'RSA_2048', 214, 256],
  ['RSAES_OAEP_SHA_1', 'RSA_3072', 342, 384],
  ['RSAES_OAEP_SHA_1', 'RSA_4096', 470, 512],
  ['RSAES_OAEP_SHA_256', 'RSA_2048', 190, 256],
  ['RSAES_OAEP_SHA_256', 'RSA_3072', 318, 384],
  ['RSAES_OAEP_SHA_256', 'RSA_4096', 446, 512],
]

for (const [name, spec, max, modulusBytes] of limits) {
  test(`${name}, ${spec}: ${max} bytes are encrypted, one more is a ValidationException`, () => {
    const row = encryptionAlgorithm(name)
    const key = rsa.get(spec as 'RSA_2048')
    assert(row !== undefined && key !== undefined)
    assert.equal(plaintextBytesMax(row, key.publicKey), max)
    for (const length of [1, max - 1, max]) {
      const plaintext = randomBytes(length)
      const ciphertext = encrypt(row, spec, key.publicKey, plaintext)
      assert.equal(ciphertext.length, modulusBytes)
      assert.deepEqual(decrypt(row, key.privateKey, ciphertext), plaintext)
    }
    refuses(
      () => encrypt(row, spec, key.publicKey, Buffer.alloc(max + 1)),
      'ValidationException',
      `Algorithm ${name} and key spec ${spec} cannot encrypt data larger than ${max} bytes.`,
    )
  })
}

test('an RSA ciphertext changed, of another length, key, hash or padding gives one and the same error', () => {
  const key = rsa.get('RSA_2048')
  const [sha1, sha256] = oaepRows
  assert(key !== undefined && sha1 !== undefined && sha256 !== undefined)
  const good = encrypt(sha256, 'RSA_2048', key.publicKey, Buffer.from('secret'))
  assert.equal(decrypt(sha256, key.privateKey, good).toString(), 'secret')
  const changed = Buffer.from(good)
  changed[200] = (changed[200] ?? 0) ^ 1
  const other = generatePair('RSA_2048')
  const pkcs1 = { key: key.publicKey, padding: constants.RSA_PKCS1_PADDING }
  const labelled = { key: key.publicKey, oaepHash: 'sha256', oaepLabel: Buffer.from('label') }
  for (const bad of [
    changed,
    good.subarray(1),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    Buffer.concat([Buffer.of(0), good]),
    Buffer.alloc(0),
    Buffer.alloc(1),
    Buffer.alloc(256),
    Buffer.alloc(256, 0xff),
    Buffer.alloc(6144, 1),
    encrypt(sha1, 'RSA_2048', key.publicKey, Buffer.from('secret')),
    encrypt(sha256, 'RSA_2048', other.publicKey, Buffer.from('secret')),
    publicEncrypt(pkcs1, Buffer.from('secret')),
    publicEncrypt(labelled, Buffer.from('secret')),
  ]) {
    refuses(() => decrypt(sha256, key.privateKey, bad), 'InvalidCiphertextException', '')
  }
})

test('a MAC is as long as its digest, repeats itself, and verifies for its message and key alone', () => {
  const rows = algorithms.filter((row) => row.usage === 'GENERATE_VERIFY_MAC')
  assert.deepEqual(
    rows.flatMap((row) => row.specs),
    macSpecs,
  )
  for (const [row, bytes] of rows.map((each, at) => [each, [28, 32, 48, 64][at]] as const)) {
    const material = generateMacKey(row.specs[0] ?? 'HMAC_256')
    assert.equal(material.length, bytes)
    checkMacs(row, material, bytes ?? 0)
  }
})

function checkMacs(row: MacAlgorithm, material: Buffer, bytes: number): void {
  const spec = row.specs[0] ?? 'HMAC_256'
  const key = openMaterial(spec, material)
  const other = openMaterial(spec, generateMacKey(spec))
  const property = fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 4096 }),
    fc.nat({ max: 8 * bytes - 1 }),
    (message, bit) => {
      const mac = generateMac(row, key, message)
      assert.equal(mac.length, bytes)
      assert.deepEqual(generateMac(row, key, message), mac)
      assert.equal(verifyMac(row, key, message, mac), true)
      const changed = Buffer.from(mac)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(verifyMac(row, key, message, changed), false)
      assert.equal(verifyMac(row, key, Buffer.concat([message, Buffer.of(0)]), mac), false)
      assert.equal(verifyMac(row, other, message, mac), false)
    },
  )
  fc.assert(property, { seed: randomInt(2 ** 31), numRuns: 30 })
  const mac = generateMac(row, key, Buffer.of(1))
  for (const bad of [
    mac.subarray(1),
    mac.subarray(0, -1),
    Buffer.concat([mac, mac]),
    Buffer.alloc(0),
  ]) {
    assert.equal(verifyMac(row, key, Buffer.of(1), bad), false)
  }
}

for (const [spec, bytes] of [
  ['ECC_NIST_P256', 32],
  ['ECC_NIST_P384', 48],
  ['ECC_NIST_P521', 66],
] as const) {
  test(`${spec}: both sides derive the same ${bytes} bytes`, () => {
    for (let round = 0; round < 5; round += 1) {
      const [ours, theirs] = [generatePair(spec), generatePair(spec)]
      const secret = deriveSharedSecret(ours.privateKey, theirs.material.publicKey)
      assert.equal(secret.length, bytes)
      assert.deepEqual(deriveSharedSecret(theirs.privateKey, ours.material.publicKey), secret)
    }
  })

  test(`${spec}: a peer key that is not one of its curve is a ValidationException without words`, () => {
    const ours = generatePair(spec)
    const peer = generatePair(spec).material.publicKey
    const offCurve = Buffer.from(peer)
    offCurve[offCurve.length - 1] = (offCurve[offCurve.length - 1] ?? 0) ^ 1
    const infinity = Buffer.from(peer).fill(0, peer.length - 2 * bytes)
    const tooWide = Buffer.from(peer).fill(0xff, peer.length - 2 * bytes)
    const hybrid = Buffer.from(peer)
    hybrid[hybrid.length - 2 * bytes - 1] = 6 + ((hybrid.at(-1) ?? 0) & 1)
    const others = (
      ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ML_KEM_512'] as const
    ).filter((each) => each !== spec)
    for (const bad of [
      offCurve,
      infinity,
      tooWide,
      hybrid,
      peer.subarray(1),
      peer.subarray(0, -1),
      Buffer.concat([peer, Buffer.of(0)]),
      Buffer.alloc(0),
      Buffer.alloc(peer.length),
      Buffer.alloc(8192, 0x30),
      ours.material.privateKey,
      ...others.map((other) => generatePair(other).material.publicKey),
      rsa.get('RSA_4096')?.material.publicKey ?? Buffer.alloc(1),
    ]) {
      refuses(() => deriveSharedSecret(ours.privateKey, bad), 'ValidationException', '')
    }
    assert.equal(deriveSharedSecret(ours.privateKey, peer).length, bytes)
  })
}

for (const [spec, bytes] of [
  ['ML_KEM_512', 768],
  ['ML_KEM_768', 1088],
  ['ML_KEM_1024', 1568],
] as const) {
  test(`${spec}: the secret is found by its ciphertext of ${bytes} bytes, and by no other`, () => {
    const row = algorithms.find((each): each is KemAlgorithm => each.name === 'ML_KEM')
    assert(row !== undefined)
    const key = generatePair(spec)
    const { sharedSecret, ciphertext } = encapsulate(key.publicKey)
    assert.deepEqual([sharedSecret.length, ciphertext.length], [32, bytes])
    assert.deepEqual(decapsulate(row, spec, key.privateKey, ciphertext), sharedSecret)
    assert.notDeepEqual(encapsulate(key.publicKey).sharedSecret, sharedSecret)
    // Implicit rejection: a changed ciphertext gives a secret of its own, the same each time.
    for (let round = 0; round < 50; round += 1) {
      const changed = Buffer.from(ciphertext)
      const at = randomInt(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << randomInt(8))
      const rejected = decapsulate(row, spec, key.privateKey, changed)
      assert.equal(rejected.length, 32)
      assert.notDeepEqual(rejected, sharedSecret)
      assert.deepEqual(decapsulate(row, spec, key.privateKey, changed), rejected)
    }
    const other = generatePair(spec)
    assert.notDeepEqual(decapsulate(row, spec, other.privateKey, ciphertext), sharedSecret)
    for (const length of [0, 1, bytes - 1, bytes + 1, 768 + 320, 6144]) {
      if (length === bytes) continue
      refuses(
        () => decapsulate(row, spec, key.privateKey, Buffer.alloc(length)),
        'InvalidCiphertextException',
        '',
      )
    }
  })
}

function refuses(action: () => unknown, code: string, message: string): void {
  assert.throws(action, (error) => {
    assert(error instanceof KmsError)
    assert.deepEqual([error.code, error.message, error.cause], [code, message, undefined])
    return true
  })
}
