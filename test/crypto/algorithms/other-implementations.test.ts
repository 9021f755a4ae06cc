// Signatures, keys, secrets and ciphertexts cross to Go's standard library, PyPI's cryptography and noble,
// and back.
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import { decapsulate, encapsulate } from '../../../src/crypto/algorithms/encapsulation.ts'
import { sign, verify } from '../../../src/crypto/algorithms/sign.ts'
import type { MessageType } from '../../../src/crypto/algorithms/signature-method.ts'
import type { KemAlgorithm, SigningAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { algorithms, signingAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import type { HashedCase } from './hashed-cases.ts'
import { hashedCases } from './hashed-cases.ts'
import type { OpenedPair } from './keys.ts'
import { generatePair } from './keys.ts'
import { messageRepresentative } from './message-representative.ts'
import type { Peer, PeerCase } from './peers.ts'
import { findGo, findPython, present } from './peers.ts'

const message = randomBytes(500)
const go = findGo()
const python = findPython()

const pairs = new Map<KeySpec, OpenedPair>()

test('Go verifies our signatures of digests, and we verify its own', go, () => {
  // Go's standard library has no secp256k1.
  crossDigests(
    present(go),
    hashedCases.filter(({ spec }) => spec !== 'ECC_SECG_P256K1'),
  )
})

test('Go verifies our Ed25519ph signatures, and we verify its own, the same bytes', go, () => {
  const row = rowOf('ED25519_PH_SHA_512')
  const key = keyOf('ECC_NIST_EDWARDS25519')
  const digest = hash('sha512', message, 'buffer')
  const ours = sign(row, key.privateKey, digest, 'DIGEST')
  const pure = sign(rowOf('ED25519_SHA_512'), key.privateKey, digest, 'RAW')
  const [theirs, good, bad] = present(go)([
    {
      action: 'sign',
      scheme: 'ed25519ph',
      data: { privateKey: key.material.privateKey, message: digest },
    },
    verifying('ed25519ph', key, digest, ours),
    verifying('ed25519ph', key, digest, pure),
  ])
  assert.deepEqual([theirs, good, bad], [ours.toString('base64'), 'valid', 'invalid'])
})

test(
  'cryptography (Python) verifies our signatures of digests, and we verify its own',
  python,
  () => {
    crossDigests(present(python), hashedCases)
  },
)

test(
  'cryptography (Python) verifies our ML-DSA signatures of messages and of μ, and we its own',
  python,
  () => {
    const peer = present(python)
    const row = rowOf('ML_DSA_SHAKE_256')
    for (const spec of row.specs) {
      const key = keyOf(spec)
      const mu = messageRepresentative(key.publicKey.export({ format: 'raw-public' }), message)
      const [theirs, ofMessage, ofMu, wrong] = peer([
        { action: 'sign', scheme: 'plain', data: { privateKey: key.material.privateKey, message } },
        verifying('plain', key, message, sign(row, key.privateKey, message, 'RAW')),
        verifying('plain', key, message, sign(row, key.privateKey, mu, 'EXTERNAL_MU')),
        verifying('plain', key, message, sign(row, key.privateKey, randomBytes(64), 'EXTERNAL_MU')),
      ])
      assert.deepEqual([ofMessage, ofMu, wrong], ['valid', 'valid', 'invalid'])
      for (const [given, type] of [
        [message, 'RAW'],
        [mu, 'EXTERNAL_MU'],
      ] as readonly [Buffer, MessageType][]) {
        const signature = Buffer.from(theirs ?? '', 'base64')
        assert.equal(verify(row, key.publicKey, given, type, signature), true)
      }
    }
  },
)

test(
  'cryptography (Python) opens our ML-KEM ciphertexts with our seeds, and we open its own',
  python,
  () => {
    const peer = present(python)
    const row = algorithms.find((each): each is KemAlgorithm => each.name === 'ML_KEM')
    assert(row !== undefined)
    // It has no ML-KEM-512.
    for (const spec of ['ML_KEM_768', 'ML_KEM_1024'] as const) {
      const key = keyOf(spec)
      const { sharedSecret, ciphertext } = encapsulate(key.publicKey)
      const { privateKey, publicKey } = key.material
      const [opened, made] = peer([
        { action: 'decapsulate', scheme: 'plain', data: { privateKey, ciphertext } },
        { action: 'encapsulate', scheme: 'plain', data: { publicKey } },
      ])
      assert.equal(opened, sharedSecret.toString('base64'))
      const theirs = Buffer.from(made ?? '', 'base64')
      assert.deepEqual(
        decapsulate(row, spec, key.privateKey, theirs.subarray(0, -32)),
        theirs.subarray(-32),
      )
    }
  },
)

test('noble opens our ML-KEM ciphertexts with our seeds, and we open its own', () => {
  const row = algorithms.find((each): each is KemAlgorithm => each.name === 'ML_KEM')
  assert(row !== undefined)
  for (const [spec, theirs] of [
    ['ML_KEM_512', ml_kem512],
    ['ML_KEM_768', ml_kem768],
    ['ML_KEM_1024', ml_kem1024],
  ] as const) {
    const { privateKey, publicKey } = keyOf(spec)
    const { secretKey } = theirs.keygen(privateKey.export({ format: 'raw-seed' }))
    const { sharedSecret, ciphertext } = encapsulate(publicKey)
    assert.deepEqual(Buffer.from(theirs.decapsulate(ciphertext, secretKey)), sharedSecret)
    const made = theirs.encapsulate(publicKey.export({ format: 'raw-public' }))
    const found = decapsulate(row, spec, privateKey, made.cipherText)
    assert.deepEqual(found, Buffer.from(made.sharedSecret))
    // Both reject implicitly, with the same secret.
    made.cipherText[0] = (made.cipherText[0] ?? 0) ^ 1
    const rejected = decapsulate(row, spec, privateKey, made.cipherText)
    assert.deepEqual(rejected, Buffer.from(theirs.decapsulate(made.cipherText, secretKey)))
    assert.notDeepEqual(rejected, found)
  }
})

test('Ed25519ph gives the signature that Go 1.26 gives, and hashes the digest once more', () => {
  // Made with crypto/ed25519, November 2026: seed 00 … 1f, message SHA-512("Trent"), Options{Hash: SHA512}.
  const expected =
    '24193b868f1d2a0a0d63269206210deb4424151fa28faa58aee52c42644175ec' +
    'b380291cb3fcc86f88a14a595045a66fe8965146f99733e7f67d38ea5df9660e'
  const seed = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
  const privateKey = createPrivateKey({
    key: seed,
    format: 'raw-private',
    asymmetricKeyType: 'ed25519',
  })
  const digest = hash('sha512', 'Trent', 'buffer')
  const row = rowOf('ED25519_PH_SHA_512')
  assert.equal(sign(row, privateKey, digest, 'DIGEST').toString('hex'), expected)
  const publicKey = createPublicKey(privateKey)
  assert.equal(verify(row, publicKey, digest, 'DIGEST', Buffer.from(expected, 'hex')), true)
})

test('the library behind Ed25519ph gives the signature of RFC 8032 §7.3', () => {
  const seed = Buffer.from(
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'hex',
  )
  assert.equal(
    Buffer.from(ed25519ph.sign(Buffer.from('abc'), seed)).toString('hex'),
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  )
})

function crossDigests(peer: Peer, cases: readonly HashedCase[]): void {
  const requests = cases.flatMap(({ row, scheme, hash: name, key }): PeerCase[] => {
    const digest = hash(name, message, 'buffer')
    const signature = sign(row, key.privateKey, digest, 'DIGEST')
    const wrong = sign(row, key.privateKey, randomBytes(digest.length), 'DIGEST')
    const data = { privateKey: key.material.privateKey, message: digest }
    const shared = { hash: name, digest: true }
    return [
      { action: 'sign', scheme, ...shared, data },
      { ...verifying(scheme, key, digest, signature), ...shared },
      { ...verifying(scheme, key, digest, wrong), ...shared },
    ]
  })
  const answers = peer(requests)
  for (const [at, { row, hash: name, key }] of cases.entries()) {
    const [theirs, good, bad] = answers.slice(3 * at, 3 * at + 3)
    assert.deepEqual([good, bad], ['valid', 'invalid'], row.name)
    const signature = Buffer.from(theirs ?? '', 'base64')
    const digest = hash(name, message, 'buffer')
    assert.equal(verify(row, key.publicKey, digest, 'DIGEST', signature), true, row.name)
    assert.equal(verify(row, key.publicKey, message, 'RAW', signature), true, row.name)
  }
}

function verifying(
  scheme: PeerCase['scheme'],
  key: OpenedPair,
  given: Buffer,
  signature: Buffer,
): PeerCase {
  const data = { publicKey: key.material.publicKey, message: given, signature }
  return { action: 'verify', scheme, data }
}

function keyOf(spec: KeySpec): OpenedPair {
  const key = pairs.get(spec) ?? generatePair(spec)
  pairs.set(spec, key)
  return key
}

function rowOf(name: string): SigningAlgorithm {
  const row = signingAlgorithm(name)
  assert(row !== undefined)
  return row
}
