/** RSA-OAEP over every key spec and hash: what Encrypt makes Decrypt opens, and nothing near it. @module */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  generateKeyPair,
  openMaterial,
  publicKeyOf,
} from '../../../src/crypto/algorithms/key-forms.ts'
import { decrypt, encrypt, plaintextBytesMax } from '../../../src/crypto/algorithms/oaep.ts'
import { encryptionAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { KmsError } from '../../../src/errors.ts'

const specs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
const names = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const

for (const spec of specs) {
  test(`${spec}: any plaintext that fits comes back, and no ciphertext with one bit changed opens`, (t) => {
    const privateKey = openMaterial(spec, generateKeyPair(spec).privateKey)
    const publicKey = publicKeyOf(privateKey)
    for (const name of names) {
      const row = encryptionAlgorithm(name)
      assert(row !== undefined)
      const maxLength = plaintextBytesMax(row, publicKey)
      const seed = randomInt(2 ** 31)
      t.diagnostic(`${name} seed ${seed}`)
      const property = fc.property(
        fc.uint8Array({ minLength: 1, maxLength }),
        fc.nat(),
        (plaintext, at) => {
          const ciphertext = encrypt(row, spec, publicKey, plaintext)
          assert.deepEqual(decrypt(row, privateKey, ciphertext), Buffer.from(plaintext))
          const bit = at % (ciphertext.length * 8)
          ciphertext[bit >> 3] = (ciphertext[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          assert.throws(
            () => decrypt(row, privateKey, ciphertext),
            (error) =>
              error instanceof KmsError &&
              error.code === 'InvalidCiphertextException' &&
              error.message === '',
          )
        },
      )
      fc.assert(property, { seed, numRuns: 25 })
    }
  })
}
