// The arithmetic under DIGEST at its edges: ECDSA by a scaled key, PSS and PKCS #1 encodings, strict DER.
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import {
  constants,
  createECDH,
  generateKeyPairSync,
  hash,
  privateEncrypt,
  randomBytes,
  randomInt,
  sign as signNatively,
} from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Curve } from '../../../src/crypto/algorithms/curves.ts'
import { curveOf } from '../../../src/crypto/algorithms/curves.ts'
import { decodeSignature, encodeSignature } from '../../../src/crypto/algorithms/der.ts'
import { sha256 } from '../../../src/crypto/algorithms/hashes.ts'
import { shiftKey } from '../../../src/crypto/algorithms/ecdsa-digest.ts'
import { encodePss, isPss } from '../../../src/crypto/algorithms/pss-encoding.ts'
import {
  inverse,
  mod,
  randomInteger,
  toBytes,
  toInteger,
} from '../../../src/crypto/algorithms/scalars.ts'
import { sign, verify } from '../../../src/crypto/algorithms/sign.ts'
import type { SigningAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { signingAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import { generatePair } from './keys.ts'

const curveSpecs: readonly [KeySpec, string, number][] = [
  ['ECC_NIST_P256', 'ECDSA_SHA_256', 32],
  ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 32],
  ['ECC_NIST_P384', 'ECDSA_SHA_384', 48],
  ['ECC_NIST_P521', 'ECDSA_SHA_512', 64],
]

for (const [spec, name, length] of curveSpecs) {
  const row = rowOf(name)
  const key = generatePair(spec)
  const curve = curveOf(key.privateKey)

  test(`${spec}: signatures satisfy ECDSA's equation, for digests at the edges of the order too`, () => {
    const edges = [0n, 1n, 2n, curve.n - 1n, curve.n, curve.n + 1n, (1n << BigInt(8 * length)) - 1n]
    const digests = edges
      .filter((edge) => edge < 1n << BigInt(8 * length))
      .map((edge) => toBytes(edge, length))
    for (const digest of [...digests, randomBytes(length)]) {
      const signature = sign(row, key.privateKey, digest, 'DIGEST')
      assert.equal(verify(row, key.publicKey, digest, 'DIGEST', signature), true)
      const numbers = decodeSignature(signature, curve.bytes)
      assert(numbers !== undefined)
      assert.equal(satisfies(curve, key.privateKey, toInteger(digest), numbers), true)
      const other = { r: numbers.r, s: numbers.s ^ 1n }
      assert.equal(satisfies(curve, key.privateKey, toInteger(digest), other), false)
      // ECDSA cannot tell (r, s) from (r, n − s): both are signatures.
      const twin = encodeSignature(numbers.r, curve.n - numbers.s, curve.bytes)
      assert.equal(verify(row, key.publicKey, digest, 'DIGEST', twin), true)
    }
  })

  test(`${spec}: numbers out of range, and any other spelling of a signature, are refused`, () => {
    const message = randomBytes(20)
    const digest = hash(`sha${name.slice(-3)}`, message, 'buffer')
    const signature = sign(row, key.privateKey, digest, 'DIGEST')
    const numbers = decodeSignature(signature, curve.bytes)
    assert(numbers !== undefined)
    const { r, s } = numbers
    const bytes = curve.bytes + 1
    for (const [badR, badS] of [
      [0n, s],
      [r, 0n],
      [0n, 0n],
      [curve.n, s],
      [r, curve.n],
      [r + curve.n, s],
      [r, s + curve.n],
      [1n, 1n],
    ] as const) {
      const bad = encodeSignature(badR, badS, bytes)
      assert.equal(verify(row, key.publicKey, digest, 'DIGEST', bad), false)
      assert.equal(verify(row, key.publicKey, message, 'RAW', bad), false)
    }
    for (const other of respellings(signature)) {
      assert.equal(
        verify(row, key.publicKey, digest, 'DIGEST', other),
        false,
        other.toString('hex'),
      )
      assert.equal(verify(row, key.publicKey, message, 'RAW', other), false, other.toString('hex'))
    }
  })
}

test('a public key is shifted by any multiple of the generator, but for three that meet it', () => {
  for (const [spec] of curveSpecs) {
    const { privateKey, publicKey } = generatePair(spec)
    const curve = curveOf(privateKey)
    const d = toInteger(privateKey.export({ format: 'raw-private' }))
    for (const t of [1n, 2n, curve.n - 1n, randomInteger(curve.n, curve.bytes)]) {
      const shifted = shiftKey(curve, publicKey, t)
      assert(shifted !== undefined)
      const expected = createECDH(curve.name)
      expected.setPrivateKey(toBytes(mod(d + t, curve.n), curve.bytes))
      assert.deepEqual(shifted.export({ format: 'raw-public' }), expected.getPublicKey())
    }
    for (const t of [0n, d, curve.n - d]) {
      assert.equal(shiftKey(curve, publicKey, t), undefined)
    }
  }
})

test('arithmetic on wide numbers agrees with its definition', () => {
  const seed = randomInt(2 ** 31)
  const n = 2n ** 521n - 1n
  const number = fc.bigInt({ min: 1n, max: n - 1n })
  const property = fc.property(number, number, (a, b) => {
    assert.equal(mod(a * inverse(a, n), n), 1n)
    assert.equal(toInteger(toBytes(a, 66)), a)
    assert.equal(toBytes(a, 66).toString('hex'), a.toString(16).padStart(132, '0'))
    assert.equal(mod(a - b, n) >= 0n && mod(mod(a - b, n) + b, n) === a, true)
    assert(randomInteger(a, 66) < a)
  })
  fc.assert(property, { seed, numRuns: 200 })
  assert.throws(() => toBytes(256n, 1), RangeError)
  assert.throws(() => inverse(0n, n), RangeError)
})

test('PSS: a salt shorter or longer than the digest is refused, as RAW and as DIGEST', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const message = randomBytes(50)
  const digest = hash('sha256', message, 'buffer')
  const row = rowOf('RSASSA_PSS_SHA_256')
  for (const saltLength of [0, 20, 31, 32, 33, 48, 222]) {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signature = signNatively('sha256', message, { key: privateKey, padding, saltLength })
    assert.equal(verify(row, publicKey, message, 'RAW', signature), saltLength === 32)
    assert.equal(verify(row, publicKey, digest, 'DIGEST', signature), saltLength === 32)
  }
})

test('PSS: an encoding with any byte changed is refused, for moduli of any bit length', () => {
  const digest = randomBytes(32)
  for (const modulusBits of [2048, 2047, 2046, 2041, 3072]) {
    const encoded = encodePss(sha256, digest, modulusBits)
    assert.equal(encoded.length, Math.ceil(modulusBits / 8))
    assert.equal(isPss(sha256, digest, encoded, modulusBits), true)
    assert.equal(isPss(sha256, randomBytes(32), encoded, modulusBits), false)
    for (const at of encoded.keys()) {
      const changed = Buffer.from(encoded)
      changed[at] = (changed[at] ?? 0) ^ 0x80
      assert.equal(isPss(sha256, digest, changed, modulusBits), false, `byte ${at}`)
    }
  }
})

test('PKCS #1: encodings that lenient verifiers take are refused as DIGEST', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const digest = randomBytes(32)
  const full = Buffer.concat([sha256.digestInfo, digest])
  const encode = (padding: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.of(0, 1), Buffer.alloc(padding, 0xff), Buffer.of(0), content])
  const garbage = randomBytes(40)
  const noNull = Buffer.concat([Buffer.from('302f300b06096086480165030402010420', 'hex'), digest])
  const accepted = (encoded: Buffer): boolean => {
    const key = { key: privateKey, padding: constants.RSA_NO_PADDING }
    return verify(
      rowOf('RSASSA_PKCS1_V1_5_SHA_256'),
      publicKey,
      digest,
      'DIGEST',
      privateEncrypt(key, encoded),
    )
  }
  assert.equal(accepted(encode(253 - full.length, full)), true)
  // Bleichenbacher's forgery: short padding, garbage behind the digest.
  assert.equal(accepted(encode(253 - full.length - 40, Buffer.concat([full, garbage]))), false)
  assert.equal(accepted(encode(253 - noNull.length, noNull)), false)
  assert.equal(accepted(encode(253 - digest.length, digest)), false)
  const zeroPadded = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(253 - full.length), Buffer.of(0)])
  assert.equal(accepted(Buffer.concat([zeroPadded, full])), false)
  const typeTwo = encode(253 - full.length, full)
  typeTwo[1] = 2
  assert.equal(accepted(typeTwo), false)
})

/** ECDSA's equation, checked with the private scalar: x(k·G) mod n = r for k = (z + r·d)/s. */
function satisfies(
  curve: Curve,
  privateKey: KeyObject,
  z: bigint,
  { r, s }: { readonly r: bigint; readonly s: bigint },
): boolean {
  const d = toInteger(privateKey.export({ format: 'raw-private' }))
  const k = mod((z + r * d) * inverse(mod(s, curve.n), curve.n), curve.n)
  const point = createECDH(curve.name)
  point.setPrivateKey(toBytes(k, curve.bytes))
  return toInteger(point.getPublicKey().subarray(1, 1 + curve.bytes)) % curve.n === r
}

/** The same two numbers in encodings that are BER, or nearly. */
function respellings(signature: Buffer): readonly Buffer[] {
  const header = signature[1] === 0x81 ? 3 : 2
  const contents = signature.subarray(header)
  const rEnd = 2 + (contents[1] ?? 0)
  const [r, s] = [contents.subarray(0, rEnd), contents.subarray(rEnd)]
  const sequence = (body: Buffer, ...length: number[]): Buffer =>
    Buffer.concat([Buffer.of(0x30, ...length), body])
  const padded = (integer: Buffer): Buffer =>
    Buffer.concat([Buffer.of(2, integer.length - 1, 0), integer.subarray(2)])
  const size = contents.length
  const long = size + 1 < 0x80 ? [size + 1] : [0x81, size + 1]
  return [
    sequence(contents, 0x82, 0, size),
    sequence(contents, ...(size < 0x80 ? [0x81, size] : [size])),
    sequence(Buffer.concat([contents, Buffer.of(0, 0)]), 0x80),
    sequence(Buffer.concat([padded(r), s]), ...long),
    sequence(Buffer.concat([r, padded(s)]), ...long),
    Buffer.concat([signature, Buffer.of(0x05, 0)]),
    sequence(Buffer.concat([contents, Buffer.of(0)]), ...long),
    Buffer.concat([Buffer.of(0x31), signature.subarray(1)]),
    sequence(r, r.length),
    Buffer.concat([r, s]),
  ]
}

function rowOf(name: string): SigningAlgorithm {
  const row = signingAlgorithm(name)
  assert(row !== undefined)
  return row
}
