/** Imported material: every way to wrap it, and everything that is not material of its key. */
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair } from '../../src/crypto/algorithms/key-forms.ts'
import { canWrap, keySpecs, type WrappingKeySpec } from '../../src/crypto/key-specs.ts'
import { unwrapMaterial } from '../../src/crypto/material-wrapping.ts'
import type { KeySpec } from '../../src/model/key.ts'
import { flipped } from './fixed.ts'
import { keyWrapped, wrapped } from './wrapped.ts'

const invalid = { code: 'InvalidCiphertextException', message: '' }
const oaep = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const hybrid = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const
const sizes = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
const wrappingKeys = new Map(sizes.map((size) => [size, generateKeyPair(size)]))
const imported = (Object.keys(keySpecs) as KeySpec[]).filter((spec) => keySpecs[spec].importable)

function materialOf(spec: KeySpec): Buffer {
  const form = keySpecs[spec].material
  return form.encoding === 'raw' ? randomBytes(form.bytes) : generateKeyPair(spec).privateKey
}

/** As OpenSSL writes it, which is shorter. */
function written(spec: KeySpec, material: Buffer): Buffer {
  if (keySpecs[spec].kind !== 'asymmetric') return material
  const form = { format: 'der', type: 'pkcs8' } as const
  return createPrivateKey({ key: material, ...form }).export(form)
}

function open(spec: KeySpec, algorithm: string, bytes: Uint8Array, size: WrappingKeySpec): Buffer {
  const wrappingKey = Buffer.from(wrappingKeys.get(size)?.privateKey ?? [])
  const opened = unwrapMaterial({ algorithm, wrappingKey, wrapped: bytes, spec })
  assert(wrappingKey.every((byte) => byte === 0))
  return opened
}

const wrap = (algorithm: string, material: Uint8Array, size: WrappingKeySpec): Buffer =>
  wrapped(wrappingKeys.get(size)?.publicKey ?? Buffer.alloc(0), algorithm, material)

/** Sends `material` to a key of `spec`. */
function send(spec: KeySpec, material: Uint8Array): Buffer {
  const algorithm = keySpecs[spec].kind === 'asymmetric' ? hybrid[1] : oaep[1]
  return open(spec, algorithm, wrap(algorithm, material, 'RSA_2048'), 'RSA_2048')
}

test('each material can be wrapped in the ways that AWS accepts, and no others', () => {
  const taken = imported.map((spec) => [
    spec,
    [...oaep, ...hybrid, 'RSAES_PKCS1_V1_5', 'SM2PKE']
      .flatMap((algorithm) => sizes.map((size) => (canWrap(algorithm, size, spec) ? 'y' : '-')))
      .join(''),
  ])
  const direct = 'yyyyyy------------'
  const pair = 'yyyyyyyyyyyy------'
  const larger = '-yy-yyyyyyyy------'
  const through = '------yyyyyy------'
  assert.deepEqual(Object.fromEntries(taken), {
    SYMMETRIC_DEFAULT: direct,
    HMAC_224: direct,
    HMAC_256: direct,
    HMAC_384: direct,
    HMAC_512: direct,
    RSA_2048: through,
    RSA_3072: through,
    RSA_4096: through,
    ECC_NIST_P256: pair,
    ECC_NIST_P384: pair,
    ECC_NIST_P521: larger,
    ECC_SECG_P256K1: pair,
    ECC_NIST_EDWARDS25519: larger,
  })
  assert.equal(canWrap('RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096', 'ML_DSA_44'), false)
  assert.equal(canWrap('constructor', 'RSA_4096', 'SYMMETRIC_DEFAULT'), false)
})

for (const spec of imported) {
  test(`material of ${spec} opens as it was wrapped, in every way that it can be`, () => {
    const material = materialOf(spec)
    for (const algorithm of [...oaep, ...hybrid]) {
      for (const size of sizes) {
        if (!canWrap(algorithm, size, spec)) continue
        const bytes = wrap(algorithm, written(spec, material), size)
        assert.deepEqual(open(spec, algorithm, bytes, size), material, `${algorithm} ${size}`)
        // With another hash, algorithm or wrapping key; changed anywhere; truncated and extended.
        const others = [...oaep, ...hybrid].filter((other) => other !== algorithm)
        for (const other of others) assert.throws(() => open(spec, other, bytes, size), invalid)
        const otherSize = sizes.find((one) => one !== size) ?? 'RSA_2048'
        assert.throws(() => open(spec, algorithm, bytes, otherSize), invalid)
        for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
          assert.throws(() => open(spec, algorithm, flipped(bytes, at), size), invalid)
        }
        for (const cut of [0, 1, bytes.length - 8, bytes.length - 1]) {
          assert.throws(() => open(spec, algorithm, bytes.subarray(0, cut), size), invalid)
        }
        const longer = Buffer.concat([bytes, Buffer.alloc(8)])
        assert.throws(() => open(spec, algorithm, longer, size), invalid)
      }
    }
  })
}

for (const [spec, min, max] of [
  ['SYMMETRIC_DEFAULT', 32, 32],
  ['HMAC_224', 28, 64],
  ['HMAC_256', 32, 64],
  ['HMAC_384', 48, 128],
  ['HMAC_512', 64, 128],
] as const) {
  test(`material of ${spec} has ${min} to ${max} bytes`, () => {
    for (const length of [min, max]) {
      const material = randomBytes(length)
      assert.deepEqual(send(spec, material), material)
    }
    for (const length of [1, min - 1, max + 1]) {
      assert.throws(() => send(spec, randomBytes(length)), invalid)
    }
  })
}

test('a private key is of just its key spec', () => {
  const pairs = imported.filter((spec) => keySpecs[spec].kind === 'asymmetric')
  const materials = new Map(pairs.map((spec) => [spec, materialOf(spec)]))
  for (const spec of pairs) {
    for (const [other, material] of materials) {
      if (other !== spec) assert.throws(() => send(spec, material), invalid)
    }
  }
  const der = { format: 'der', type: 'pkcs8' } as const
  const odd = [
    generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    generateKeyPairSync('rsa', { modulusLength: 2056 }),
    generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ]
  for (const { privateKey } of odd) {
    assert.throws(() => send('RSA_2048', privateKey.export(der)), invalid)
  }
  const locked = { ...der, cipher: 'aes-256-cbc', passphrase: 'x' } as const
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  assert.throws(() => send('ECC_NIST_P256', privateKey.export(locked)), invalid)
  for (const nothing of [randomBytes(138), Buffer.of(0x30, 0x80, 0, 0), Buffer.alloc(64)]) {
    assert.throws(() => send('ECC_NIST_P256', nothing), invalid)
  }
})

test('a key has one encoding, however it was written', () => {
  const ber = (der: Buffer): Buffer => {
    const [, first = 0] = der
    const start = first < 0x80 ? 2 : 2 + (first & 0x7f)
    return Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(start), Buffer.alloc(2)])
  }
  for (const spec of ['RSA_2048', 'ECC_NIST_P256', 'ECC_NIST_P521', 'ECC_SECG_P256K1'] as const) {
    const material = materialOf(spec)
    assert.deepEqual(send(spec, ber(material)), material)
    assert.deepEqual(send(spec, written(spec, material)), material)
    for (const behind of [Buffer.of(0), randomBytes(7)]) {
      assert.throws(() => send(spec, Buffer.concat([material, behind])), invalid)
      assert.throws(() => send(spec, Buffer.concat([ber(material), behind, Buffer.of(1)])), invalid)
    }
  }
  // The curve by its parameters in place of its name.
  const explicit = { namedCurve: 'prime256v1', paramEncoding: 'explicit' } as const
  const { privateKey } = generateKeyPairSync('ec', explicit)
  const spelled = privateKey.export({ format: 'der', type: 'pkcs8' })
  const named = send('ECC_NIST_P256', spelled)
  assert(named.length < spelled.length)
  assert.deepEqual(send('ECC_NIST_P256', named), named)
  const plain = materialOf('ECC_NIST_EDWARDS25519')
  assert.deepEqual(send('ECC_NIST_EDWARDS25519', plain), plain)
  assert.throws(() => send('ECC_NIST_EDWARDS25519', ber(plain)), invalid)
})

test('halves of two keys are not a key', () => {
  for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const) {
    const [mixed, other] = [materialOf(spec), materialOf(spec)]
    const pointBytes = 2 * Math.ceil(Number(spec.slice(-3)) / 8)
    other.copy(mixed, mixed.length - pointBytes, other.length - pointBytes)
    assert.throws(() => send(spec, mixed), invalid)
    // A scalar of zero, and one beyond the order.
    for (const byte of [0x00, 0xff]) {
      const scalar = materialOf(spec)
      const at = scalar.length - pointBytes - pointBytes / 2
      const start = scalar.indexOf(Buffer.of(0x04, pointBytes / 2), 24) + 2
      assert(start > 2 && start < at)
      scalar.fill(byte, start, start + pointBytes / 2)
      assert.throws(() => send(spec, scalar), invalid)
    }
  }
  // A modulus with one bit changed.
  const rsa = materialOf('RSA_2048')
  assert.throws(() => send('RSA_2048', flipped(rsa, 60, 4)), invalid)
})

test('the inner key of the two-step wrapping has 256 bits', () => {
  const material = materialOf('ECC_NIST_P256')
  for (const [bytes, opens] of [
    [16, false],
    [24, false],
    [32, true],
  ] as const) {
    const aesKey = randomBytes(bytes)
    const sent = Buffer.concat([wrap(oaep[1], aesKey, 'RSA_2048'), keyWrapped(aesKey, material)])
    const opening = (): Buffer => open('ECC_NIST_P256', hybrid[1], sent, 'RSA_2048')
    if (opens) assert.deepEqual(opening(), material)
    else assert.throws(opening, invalid)
  }
})
