// Public vectors through the functions that Verify calls, each algorithm by every message type it takes.
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createPublicKey, hash } from 'node:crypto'
import { verify } from '../../../src/crypto/algorithms/sign.ts'
import { signingAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { messageRepresentative } from './message-representative.ts'
import type { Vector } from './wycheproof.ts'
import { bytes, testVectors } from './wycheproof.ts'

const hashed: readonly [string, number, string, string][] = [
  ['ecdsa_secp256r1_sha256', 484, 'ECDSA_SHA_256', 'sha256'],
  ['ecdsa_secp256k1_sha256', 476, 'ECDSA_SHA_256', 'sha256'],
  ['ecdsa_secp384r1_sha384', 504, 'ECDSA_SHA_384', 'sha384'],
  ['ecdsa_secp521r1_sha512', 542, 'ECDSA_SHA_512', 'sha512'],
  ['rsa_signature_2048_sha256', 259, 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
  ['rsa_signature_3072_sha384', 259, 'RSASSA_PKCS1_V1_5_SHA_384', 'sha384'],
  ['rsa_signature_4096_sha512', 259, 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512'],
  ['rsa_pss_2048_sha256_mgf1_32', 108, 'RSASSA_PSS_SHA_256', 'sha256'],
  ['rsa_pss_2048_sha384_mgf1_48', 141, 'RSASSA_PSS_SHA_384', 'sha384'],
  ['rsa_pss_3072_sha256_mgf1_32', 108, 'RSASSA_PSS_SHA_256', 'sha256'],
  ['rsa_pss_4096_sha512_mgf1_64', 179, 'RSASSA_PSS_SHA_512', 'sha512'],
]

for (const [file, count, name, hashName] of hashed) {
  const row = rowOf(name)
  testVectors(file, count, (vector) => {
    const key = derKey(vector)
    const message = bytes(vector.fields, 'msg')
    const signature = bytes(vector.fields, 'sig')
    const raw = verify(row, key, message, 'RAW', signature)
    const digest = hash(hashName, message, 'buffer')
    assert.equal(
      verify(row, key, digest, 'DIGEST', signature),
      raw,
      `vector ${vector.id}: types agree`,
    )
    // The one acceptable PKCS #1 vector of a file leaves the NULL of DigestInfo out.
    if (vector.result === 'acceptable') assert.equal(raw, false)
    return raw ? 'accepted' : 'refused'
  })
}

testVectors('ed25519', 151, (vector) => {
  const [message, signature] = [bytes(vector.fields, 'msg'), bytes(vector.fields, 'sig')]
  const accepted = verify(rowOf('ED25519_SHA_512'), derKey(vector), message, 'RAW', signature)
  // What signs a message never signs a digest: the domains of Ed25519 and Ed25519ph are separate.
  const prehashed = rowOf('ED25519_PH_SHA_512')
  const digest = hash('sha512', message, 'buffer')
  assert.equal(verify(prehashed, derKey(vector), digest, 'DIGEST', signature), false)
  return accepted ? 'accepted' : 'refused'
})

for (const [set, count] of [
  ['44', 180],
  ['65', 210],
] as const) {
  const row = rowOf('ML_DSA_SHAKE_256')
  testVectors(`mldsa_${set}_verify`, count, (vector) => {
    const publicKey = bytes(vector.group, 'publicKey')
    const context = bytes(vector.fields, 'ctx')
    const message = bytes(vector.fields, 'msg')
    const signature = bytes(vector.fields, 'sig')
    const key = rawKey(`ml-dsa-${set}`, publicKey)
    if (key === undefined) return 'refused'
    const raw = verify(row, key, message, 'RAW', signature)
    if (context.length > 255) return raw ? 'accepted' : 'refused'
    // μ binds the context, so that a caller who computes μ may use one, and RAW, which has none, refuses.
    const mu = messageRepresentative(publicKey, message, context)
    const byMu = verify(row, key, mu, 'EXTERNAL_MU', signature)
    assert.equal(raw, context.length === 0 && byMu, `vector ${vector.id}: types agree`)
    return byMu ? 'accepted' : 'refused'
  })
}

function rowOf(name: string): NonNullable<ReturnType<typeof signingAlgorithm>> {
  const row = signingAlgorithm(name)
  assert(row !== undefined)
  return row
}

function derKey(vector: Vector): KeyObject {
  return createPublicKey({ key: bytes(vector.group, 'publicKeyDer'), format: 'der', type: 'spki' })
}

function rawKey(asymmetricKeyType: 'ml-dsa-44' | 'ml-dsa-65', key: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'raw-public', asymmetricKeyType })
  } catch {
    return undefined
  }
}
