// Public vectors through the functions that Decrypt, VerifyMac, DeriveSharedSecret and Decapsulate call.
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createECDH, createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import { deriveSharedSecret } from '../../../src/crypto/algorithms/agreement.ts'
import { curveOf, importScalar } from '../../../src/crypto/algorithms/curves.ts'
import { decapsulate } from '../../../src/crypto/algorithms/encapsulation.ts'
import { openMaterial } from '../../../src/crypto/algorithms/key-forms.ts'
import { generateMac, verifyMac } from '../../../src/crypto/algorithms/mac.ts'
import { decrypt } from '../../../src/crypto/algorithms/oaep.ts'
import {
  encryptionAlgorithm,
  kemAlgorithm,
  macAlgorithm,
} from '../../../src/crypto/algorithms/table.ts'
import { openKeyWrap } from '../../../src/crypto/material-wrapping.ts'
import { KmsError } from '../../../src/errors.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import { generatePair } from './keys.ts'
import { bytes, testVectors } from './wycheproof.ts'

const oaep: readonly [string, number, string, KeySpec][] = [
  ['rsa_oaep_2048_sha1_mgf1sha1', 36, 'RSAES_OAEP_SHA_1', 'RSA_2048'],
  ['rsa_oaep_2048_sha256_mgf1sha256', 37, 'RSAES_OAEP_SHA_256', 'RSA_2048'],
  ['rsa_oaep_3072_sha256_mgf1sha256', 37, 'RSAES_OAEP_SHA_256', 'RSA_3072'],
]
for (const [file, count, name, spec] of oaep) {
  testVectors(file, count, (vector) => {
    // Trent's label is empty, as AWS's is: a ciphertext under another cannot be its own.
    const label = bytes(vector.fields, 'label').length > 0
    const row = encryptionAlgorithm(name)
    assert(row !== undefined)
    const key = openMaterial(spec, bytes(vector.group, 'privateKeyPkcs8'))
    const plaintext = refusedAs('InvalidCiphertextException', () =>
      decrypt(row, key, bytes(vector.fields, 'ct')),
    )
    if (label) {
      assert.equal(plaintext, undefined)
      return 'not applicable'
    }
    if (plaintext === undefined) return 'refused'
    assert.deepEqual(plaintext, bytes(vector.fields, 'msg'))
    return 'accepted'
  })
}

testVectors('aes_kwp', 254, ({ fields }) => {
  // Imports have keys of 256 bits alone.
  const key = bytes(fields, 'key')
  if (key.length !== 32) return 'not applicable'
  let opened: Buffer
  try {
    opened = openKeyWrap(key, bytes(fields, 'ct'))
  } catch {
    return 'refused'
  }
  return opened.equals(bytes(fields, 'msg')) ? 'accepted' : 'refused'
})

for (const [size, count] of [
  ['224', 172],
  ['256', 174],
  ['384', 174],
  ['512', 174],
] as const) {
  testVectors(`hmac_sha${size}`, count, (vector) => {
    const row = macAlgorithm(`HMAC_SHA_${size}`)
    assert(row !== undefined)
    const key = createSecretKey(bytes(vector.fields, 'key'))
    const [message, tag] = [bytes(vector.fields, 'msg'), bytes(vector.fields, 'tag')]
    const accepted = verifyMac(row, key, message, tag)
    if (tag.length < row.hash.bytes) {
      // Half the vectors hold truncated MACs, which KMS does not have.
      assert.equal(accepted, false)
      const start = generateMac(row, key, message).subarray(0, tag.length)
      return start.equals(tag) ? 'not applicable' : 'refused'
    }
    return accepted ? 'accepted' : 'refused'
  })
}

for (const [curve, count, spec] of [
  ['secp256r1', 612, 'ECC_NIST_P256'],
  ['secp384r1', 1047, 'ECC_NIST_P384'],
  ['secp521r1', 916, 'ECC_NIST_P521'],
] as const) {
  const base = curveOf(generatePair(spec).privateKey)
  testVectors(`ecdh_${curve}`, count, (vector) => {
    const secret = refusedAs('ValidationException', () =>
      deriveSharedSecret(
        privateKeyOf(bytes(vector.fields, 'private')),
        bytes(vector.fields, 'public'),
      ),
    )
    if (vector.result === 'acceptable') {
      // Points may be compressed; a curve spelled out, or any encoding but the one of DER, is refused.
      assert.equal(secret !== undefined, vector.flags.includes('CompressedPoint'))
    }
    if (secret === undefined) return 'refused'
    assert.deepEqual(secret, bytes(vector.fields, 'shared'))
    return 'accepted'
  })

  function privateKeyOf(number: Buffer): KeyObject {
    const scalar = Buffer.concat([Buffer.alloc(base.bytes), number]).subarray(-base.bytes)
    const point = createECDH(base.name)
    point.setPrivateKey(scalar)
    return importScalar(base, scalar, point.getPublicKey())
  }
}

for (const size of ['512', '768', '1024'] as const) {
  testVectors(`mlkem_${size}`, 193, (vector) => {
    const row = kemAlgorithm('ML_KEM')
    assert(row !== undefined)
    const key = seedKey(`ml-kem-${size}`, bytes(vector.fields, 'seed'))
    if (key === undefined) return 'refused'
    assert.deepEqual(
      createPublicKey(key).export({ format: 'raw-public' }),
      bytes(vector.fields, 'ek'),
    )
    const secret = refusedAs('InvalidCiphertextException', () =>
      decapsulate(row, `ML_KEM_${size}`, key, bytes(vector.fields, 'c')),
    )
    if (secret === undefined) return 'refused'
    // An invalid one of the right length is implicitly rejected: a secret, and not the one named.
    return secret.equals(bytes(vector.fields, 'K')) ? 'accepted' : 'refused'
  })
}

type KemType = 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024'

function seedKey(asymmetricKeyType: KemType, key: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key, format: 'raw-seed', asymmetricKeyType })
  } catch {
    return undefined
  }
}

/** What `action` answers; undefined for the one expected refusal, which must carry no message. */
function refusedAs(code: string, action: () => Buffer): Buffer | undefined {
  try {
    return action()
  } catch (error) {
    assert(error instanceof KmsError, String(error))
    assert.equal(error.code, code)
    assert.equal(error.message, '')
    return undefined
  }
}
