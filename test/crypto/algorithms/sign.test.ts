// What Sign makes Verify accepts and nothing near it, for every key spec, algorithm and message type.
import assert from 'node:assert/strict'
import { createPublicKey, hash, randomBytes, randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { pairSpecs } from '../../../src/crypto/algorithms/key-forms.ts'
import { checkMessage, isSlow, sign, verify } from '../../../src/crypto/algorithms/sign.ts'
import type { MessageType } from '../../../src/crypto/algorithms/signature-method.ts'
import type { SigningAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { algorithms, signingAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { KmsError } from '../../../src/errors.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import type { OpenedPair } from './keys.ts'
import { generatePair } from './keys.ts'
import { messageRepresentative } from './message-representative.ts'

const keys = new Map<KeySpec, OpenedPair>(
  pairSpecs.filter((spec) => rowsOf(spec).length > 0).map((spec) => [spec, generatePair(spec)]),
)

interface Case {
  readonly spec: KeySpec
  readonly row: SigningAlgorithm
  readonly type: MessageType
  readonly key: OpenedPair
}

const cases: readonly Case[] = [...keys].flatMap(([spec, key]) =>
  rowsOf(spec).flatMap((row) => [...row.methods.keys()].map((type) => ({ spec, row, type, key }))),
)

for (const { spec, row, type, key } of cases) {
  test(`${spec}, ${row.name}, ${type}: what is signed verifies, for that message alone`, (t) => {
    const length = row.methods.get(type)?.messageBytes
    const messages = fc.uint8Array(
      length === undefined
        ? { minLength: 1, maxLength: 4096 }
        : { minLength: length, maxLength: length },
    )
    property(t, 8, [messages, fc.nat()], (message, bit) => {
      const signature = sign(row, key.privateKey, message, type)
      assert.equal(verify(row, key.publicKey, message, type, signature), true)
      assert.equal(verify(row, key.publicKey, flip(message, bit), type, signature), false)
    })
  })

  test(`${spec}, ${row.name}, ${type}: a signature with any bit changed, cut or extended is refused`, () => {
    const message = messageFor(row, type)
    const signature = sign(row, key.privateKey, message, type)
    const verifies = (changed: Uint8Array): boolean =>
      verify(row, key.publicKey, message, type, changed)
    assert.equal(verifies(signature), true)
    for (const bit of bitsToFlip(signature, type)) {
      assert.equal(verifies(flip(signature, bit)), false, `bit ${bit}`)
    }
    assert.equal(verifies(signature.subarray(1)), false)
    assert.equal(verifies(signature.subarray(0, -1)), false)
    assert.equal(verifies(Buffer.concat([signature, Buffer.of(0)])), false)
    assert.equal(verifies(Buffer.concat([Buffer.of(0), signature])), false)
    assert.equal(verifies(Buffer.alloc(0)), false)
    for (const length of [1, 63, 64, 65, 256, 6144]) {
      assert.equal(verifies(Buffer.alloc(length)), false)
      assert.equal(verifies(Buffer.alloc(length, 0xff)), false)
      assert.equal(verifies(randomBytes(length)), false)
    }
  })
}

// Pairs of larger RSA keys take seconds to make, and run the code of the smallest.
for (const { spec, row, type, key } of cases.filter((each) => !/RSA_[34]/.test(each.spec))) {
  test(`${spec}, ${row.name}, ${type}: another key of the spec refuses the signature`, () => {
    const message = messageFor(row, type)
    const other = generatePair(spec)
    const signature = sign(row, other.privateKey, message, type)
    assert.equal(verify(row, other.publicKey, message, type, signature), true)
    assert.equal(verify(row, key.publicKey, message, type, signature), false)
  })
}

test('an RSA signature whose leading zero byte was cut off is refused', () => {
  const { privateKey, publicKey } = keyOf('RSA_2048')
  for (const { row, type } of cases.filter(({ spec }) => spec === 'RSA_2048')) {
    // One signature in 256 begins so.
    let message = messageFor(row, type)
    let signature = sign(row, privateKey, message, type)
    while (signature[0] !== 0) {
      message = randomBytes(message.length)
      signature = sign(row, privateKey, message, type)
    }
    assert.equal(verify(row, publicKey, message, type, signature), true)
    assert.equal(verify(row, publicKey, message, type, signature.subarray(1)), false)
  }
})

test('RAW and DIGEST of the same message verify each other, for every algorithm that has both', (t) => {
  const both = cases.filter(({ row, type }) => type === 'RAW' && row.methods.has('DIGEST'))
  assert.equal(both.length, 3 * 6 + 4)
  for (const { row, key } of both) {
    const hashName = `sha${row.name.slice(-3)}`
    property(t, 6, [fc.uint8Array({ minLength: 1, maxLength: 300 })], (message) => {
      const digest = hash(hashName, message, 'buffer')
      const byMessage = sign(row, key.privateKey, message, 'RAW')
      assert.equal(verify(row, key.publicKey, digest, 'DIGEST', byMessage), true)
      const byDigest = sign(row, key.privateKey, digest, 'DIGEST')
      assert.equal(verify(row, key.publicKey, message, 'RAW', byDigest), true)
      // A digest given as RAW is hashed again: another signature.
      assert.equal(verify(row, key.publicKey, digest, 'RAW', byDigest), false)
    })
  }
})

test('RAW and EXTERNAL_MU of the same message verify each other, for every ML-DSA key spec', (t) => {
  const row = rowOf('ML_DSA_SHAKE_256')
  for (const spec of row.specs) {
    const key = keyOf(spec)
    const publicKey = key.publicKey.export({ format: 'raw-public' })
    property(t, 4, [fc.uint8Array({ minLength: 1, maxLength: 4096 })], (message) => {
      const mu = messageRepresentative(publicKey, message)
      const byMessage = sign(row, key.privateKey, message, 'RAW')
      assert.equal(verify(row, key.publicKey, mu, 'EXTERNAL_MU', byMessage), true)
      const byMu = sign(row, key.privateKey, mu, 'EXTERNAL_MU')
      assert.equal(verify(row, key.publicKey, message, 'RAW', byMu), true)
      assert.equal(verify(row, key.publicKey, mu, 'RAW', byMu), false)
    })
  }
})

test('Ed25519ph never equals Ed25519, and neither verifies the other', (t) => {
  const [pure, prehashed] = [rowOf('ED25519_SHA_512'), rowOf('ED25519_PH_SHA_512')]
  const { privateKey, publicKey } = keyOf('ECC_NIST_EDWARDS25519')
  property(t, 20, [fc.uint8Array({ minLength: 64, maxLength: 64 })], (message) => {
    const byMessage = sign(pure, privateKey, message, 'RAW')
    const byDigest = sign(prehashed, privateKey, message, 'DIGEST')
    assert.notDeepEqual(byMessage, byDigest)
    assert.equal(verify(prehashed, publicKey, message, 'DIGEST', byMessage), false)
    assert.equal(verify(pure, publicKey, message, 'RAW', byDigest), false)
    const hashed = hash('sha512', message, 'buffer')
    assert.equal(verify(pure, publicKey, hashed, 'RAW', byDigest), false)
    assert.equal(verify(prehashed, publicKey, hashed, 'DIGEST', byDigest), false)
  })
})

test('Ed25519ph refuses points of small order, which the lenient rules of ZIP 215 take', () => {
  // The neutral point as key and as R, and S = 0: the equation holds for every message.
  const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])
  const publicKey = createPublicKey({
    key: neutral,
    format: 'raw-public',
    asymmetricKeyType: 'ed25519',
  })
  const signature = Buffer.concat([neutral, Buffer.alloc(32)])
  const row = rowOf('ED25519_PH_SHA_512')
  assert.equal(verify(row, publicKey, randomBytes(64), 'DIGEST', signature), false)
})

test('Ed25519, Ed25519ph and RSASSA-PKCS1 repeat themselves; the others never do', () => {
  for (const { row, type, key } of cases) {
    const message = messageFor(row, type)
    const [one, two] = [1, 2].map(() => sign(row, key.privateKey, message, type))
    const repeats = row.name.startsWith('ED25519') || row.name.includes('PKCS1')
    assert.equal(one?.equals(two ?? Buffer.alloc(0)), repeats, `${row.name} ${type}`)
  }
})

test('signatures have the lengths that AWS gives', () => {
  const exact = new Map<KeySpec, number>([
    ['RSA_2048', 256],
    ['RSA_3072', 384],
    ['RSA_4096', 512],
    ['ECC_NIST_EDWARDS25519', 64],
    ['ML_DSA_44', 2420],
    ['ML_DSA_65', 3309],
    ['ML_DSA_87', 4627],
  ])
  const atMost = new Map<KeySpec, number>([
    ['ECC_NIST_P256', 72],
    ['ECC_SECG_P256K1', 72],
    ['ECC_NIST_P384', 104],
    ['ECC_NIST_P521', 139],
  ])
  for (const { spec, row, type, key } of cases) {
    const { length } = sign(row, key.privateKey, messageFor(row, type), type)
    const [wanted, max] = [exact.get(spec), atMost.get(spec)]
    assert(wanted === undefined ? length <= (max ?? 0) : length === wanted, `${spec} ${length}`)
  }
})

test('ECDSA signatures are not low-S normalised, of messages and of digests alike', () => {
  const half = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n
  const row = rowOf('ECDSA_SHA_256')
  const { privateKey } = keyOf('ECC_SECG_P256K1')
  for (const type of ['RAW', 'DIGEST'] as const) {
    const high = Array.from({ length: 40 }, () => {
      const signature = sign(row, privateKey, randomBytes(32), type)
      const s = signature.subarray(4 + (signature[3] ?? 0) + 2)
      return BigInt(`0x${s.toString('hex')}`) > half
    })
    // Either would be missing by chance once in 2 ** 40 runs.
    assert.deepEqual([high.includes(true), high.includes(false)], [true, true])
  }
})

test('a digest one byte short or long is a ValidationException, and is never signed', () => {
  for (const { spec, row, type, key } of cases) {
    const length = row.methods.get(type)?.messageBytes
    if (length === undefined) continue
    checkMessage(row, spec, Buffer.alloc(length), type)
    for (const wrong of [0, length - 1, length + 1, 2 * length]) {
      const message = Buffer.alloc(wrong)
      refuses(
        () => checkMessage(row, spec, message, type),
        `${type === 'EXTERNAL_MU' ? 'External Mu' : 'Digest'} is invalid length for algorithm ${row.name}.`,
      )
      assert.throws(() => sign(row, key.privateKey, message, type), assert.AssertionError)
      assert.throws(
        () => verify(row, key.publicKey, message, type, Buffer.alloc(64)),
        assert.AssertionError,
      )
    }
  }
})

test('a message type that key spec or algorithm does not take is a ValidationException in its words', () => {
  const refusals: readonly [string, KeySpec, MessageType, string][] = [
    ['RSASSA_PSS_SHA_256', 'RSA_4096', 'EXTERNAL_MU', 'key spec RSA_4096'],
    ['ECDSA_SHA_256', 'ECC_NIST_P256', 'EXTERNAL_MU', 'key spec ECC_NIST_P256'],
    ['ML_DSA_SHAKE_256', 'ML_DSA_44', 'DIGEST', 'key spec ML_DSA_44'],
    ['ED25519_PH_SHA_512', 'ECC_NIST_EDWARDS25519', 'RAW', 'algorithm ED25519_PH_SHA_512'],
    ['ED25519_SHA_512', 'ECC_NIST_EDWARDS25519', 'DIGEST', 'algorithm ED25519_SHA_512'],
    ['ED25519_SHA_512', 'ECC_NIST_EDWARDS25519', 'EXTERNAL_MU', 'key spec ECC_NIST_EDWARDS25519'],
  ]
  for (const [name, spec, type, culprit] of refusals) {
    // The digest has a wrong length too: the message type is the first to be named.
    refuses(
      () => checkMessage(rowOf(name), spec, Buffer.alloc(5), type),
      `Message type ${type} is incompatible with ${culprit}.`,
    )
    assert.throws(
      () => sign(rowOf(name), keyOf(spec).privateKey, Buffer.alloc(64), type),
      assert.AssertionError,
    )
  }
})

test('calls of a millisecond and more leave the event loop, and the DIGEST of P-256 does not', () => {
  const p256 = rowOf('ECDSA_SHA_256')
  assert.equal(isSlow(p256, 'ECC_NIST_P256', 'DIGEST', 'sign'), false)
  assert.equal(isSlow(p256, 'ECC_NIST_P256', 'DIGEST', 'verify'), false)
  assert.equal(isSlow(rowOf('ECDSA_SHA_512'), 'ECC_NIST_P521', 'RAW', 'sign'), true)
  assert.equal(isSlow(rowOf('RSASSA_PSS_SHA_256'), 'RSA_4096', 'DIGEST', 'sign'), true)
  assert.equal(isSlow(rowOf('RSASSA_PSS_SHA_256'), 'RSA_4096', 'DIGEST', 'verify'), false)
  assert.equal(isSlow(rowOf('ML_DSA_SHAKE_256'), 'ML_DSA_44', 'EXTERNAL_MU', 'verify'), true)
})

function rowsOf(spec: KeySpec): readonly SigningAlgorithm[] {
  return algorithms.filter((row) => row.usage === 'SIGN_VERIFY').filter((row) => row.fits(spec))
}

function rowOf(name: string): SigningAlgorithm {
  const row = signingAlgorithm(name)
  assert(row !== undefined)
  return row
}

function keyOf(spec: KeySpec): OpenedPair {
  const key = keys.get(spec)
  assert(key !== undefined)
  return key
}

function messageFor(row: SigningAlgorithm, type: MessageType): Buffer {
  return randomBytes(row.methods.get(type)?.messageBytes ?? 100)
}

/** Every bit; where that would take long, which is ML-DSA beyond its first set, a fresh choice with both ends. */
function bitsToFlip(signature: Uint8Array, type: MessageType): readonly number[] {
  const bits = 8 * signature.length
  if (type !== 'EXTERNAL_MU' && signature.length <= 2420)
    return Array.from({ length: bits }, (_, bit) => bit)
  return [0, 7, bits - 8, bits - 1, ...Array.from({ length: 150 }, () => randomInt(bits))]
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const at = Math.floor(bit / 8) % changed.length
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8))
  return changed
}

function property<Values extends [unknown, ...unknown[]]>(
  t: TestContext,
  numRuns: number,
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  predicate: (...values: Values) => void,
): void {
  const seed = randomInt(2 ** 31)
  t.diagnostic(`seed ${seed}`)
  fc.assert(fc.property(...arbitraries, predicate), { seed, numRuns })
}

function refuses(action: () => void, message: string): void {
  assert.throws(action, (error) => {
    assert(error instanceof KmsError)
    assert.deepEqual([error.code, error.message], ['ValidationException', message])
    return true
  })
}
