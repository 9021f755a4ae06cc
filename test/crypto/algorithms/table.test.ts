// The table against the facts: which algorithm fits which key spec, in which order AWS lists them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementAlgorithm,
  algorithms,
  encryptionAlgorithm,
  kemAlgorithm,
  macAlgorithm,
  signingAlgorithm,
} from '../../../src/crypto/algorithms/table.ts'
import { algorithmNames } from '../../../src/crypto/key-specs.ts'
import type { KeySpec, KeyUsage } from '../../../src/model/key.ts'

const rsaSigning = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
]
const rsaEncryption = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']

const facts: readonly [KeySpec, KeyUsage, readonly string[]][] = [
  ['RSA_2048', 'SIGN_VERIFY', rsaSigning],
  ['RSA_3072', 'SIGN_VERIFY', rsaSigning],
  ['RSA_4096', 'SIGN_VERIFY', rsaSigning],
  ['RSA_2048', 'ENCRYPT_DECRYPT', rsaEncryption],
  ['RSA_3072', 'ENCRYPT_DECRYPT', rsaEncryption],
  ['RSA_4096', 'ENCRYPT_DECRYPT', rsaEncryption],
  ['ECC_NIST_P256', 'SIGN_VERIFY', ['ECDSA_SHA_256']],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', ['ECDH']],
  ['ECC_NIST_P384', 'SIGN_VERIFY', ['ECDSA_SHA_384']],
  ['ECC_NIST_P384', 'KEY_AGREEMENT', ['ECDH']],
  ['ECC_NIST_P521', 'SIGN_VERIFY', ['ECDSA_SHA_512']],
  ['ECC_NIST_P521', 'KEY_AGREEMENT', ['ECDH']],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', ['ECDSA_SHA_256']],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', ['ED25519_PH_SHA_512', 'ED25519_SHA_512']],
  ['ML_DSA_44', 'SIGN_VERIFY', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_65', 'SIGN_VERIFY', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_87', 'SIGN_VERIFY', ['ML_DSA_SHAKE_256']],
  ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', ['ML_KEM']],
  ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE', ['ML_KEM']],
  ['ML_KEM_1024', 'ENCAPSULATE_DECAPSULATE', ['ML_KEM']],
  ['HMAC_224', 'GENERATE_VERIFY_MAC', ['HMAC_SHA_224']],
  ['HMAC_256', 'GENERATE_VERIFY_MAC', ['HMAC_SHA_256']],
  ['HMAC_384', 'GENERATE_VERIFY_MAC', ['HMAC_SHA_384']],
  ['HMAC_512', 'GENERATE_VERIFY_MAC', ['HMAC_SHA_512']],
]

const usages: readonly KeyUsage[] = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
]

test('each key spec and usage has the algorithms that AWS lists, in its order, and no others', () => {
  const specs = new Set(facts.map(([spec]) => spec))
  for (const spec of specs) {
    for (const usage of usages) {
      const names = facts.find((fact) => fact[0] === spec && fact[1] === usage)?.[2] ?? []
      assert.deepEqual(algorithmNames(spec, usage), names, `${spec} ${usage}`)
    }
  }
  const listed = new Set(facts.flatMap(([, , names]) => names))
  assert.deepEqual(new Set(algorithms.map((row) => row.name)), listed)
  assert.equal(algorithms.length, listed.size)
})

test('an algorithm is found by its name among those of its operation, and nowhere else', () => {
  assert.equal(signingAlgorithm('ECDSA_SHA_384')?.fits('ECC_NIST_P384'), true)
  assert.equal(signingAlgorithm('ECDSA_SHA_384')?.fits('ECC_NIST_P256'), false)
  assert.equal(signingAlgorithm('RSAES_OAEP_SHA_1'), undefined)
  assert.equal(encryptionAlgorithm('RSAES_OAEP_SHA_1')?.hash.name, 'sha1')
  assert.equal(encryptionAlgorithm('SYMMETRIC_DEFAULT'), undefined)
  assert.equal(macAlgorithm('HMAC_SHA_224')?.hash.bytes, 28)
  assert.equal(macAlgorithm('ECDH'), undefined)
  assert.equal(agreementAlgorithm('ECDH')?.fits('ECC_SECG_P256K1'), false)
  assert.equal(kemAlgorithm('ML_KEM')?.fits('ML_KEM_768'), true)
  for (const name of ['constructor', '__proto__', 'toString', '', 'SM2DSA', 'ecdsa_sha_256']) {
    assert.equal(signingAlgorithm(name), undefined)
  }
})
