// Signatures, keys, secrets and ciphertexts cross to OpenSSL's command line and back.
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { deriveSharedSecret } from '../../../src/crypto/algorithms/agreement.ts'
import {
  generateMacKey,
  openMaterial,
  pairSpecs,
} from '../../../src/crypto/algorithms/key-forms.ts'
import { generateMac } from '../../../src/crypto/algorithms/mac.ts'
import { decrypt, encrypt } from '../../../src/crypto/algorithms/oaep.ts'
import { sign, verify } from '../../../src/crypto/algorithms/sign.ts'
import { algorithms } from '../../../src/crypto/algorithms/table.ts'
import { hashedCases } from './hashed-cases.ts'
import { generatePair } from './keys.ts'
import { findOpenSsl, present } from './peers.ts'

const message = randomBytes(500)
const found = findOpenSsl()

test(
  'OpenSSL verifies our signatures of messages and digests, and we verify its own',
  found,
  () => {
    const run = present(found)
    for (const { row, scheme, hash: name, key } of hashedCases) {
      const digest = hash(name, message, 'buffer')
      const { privateKey, publicKey } = key.material
      const options = [
        `digest:${name}`,
        ...(scheme === 'pss' ? ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest'] : []),
      ]
      const pkeyopt = options.flatMap((option) => ['-pkeyopt', option])
      for (const [signature, wanted] of [
        [sign(row, key.privateKey, digest, 'DIGEST'), true],
        [sign(row, key.privateKey, message, 'RAW'), true],
        [sign(row, key.privateKey, randomBytes(digest.length), 'DIGEST'), false],
      ] as const) {
        const said = attempt(() =>
          run(
            { key: publicKey, digest, signature },
            ...words(
              'pkeyutl -verify -pubin -keyform DER -inkey key -in digest -sigfile signature',
            ),
            ...pkeyopt,
          ).toString(),
        )
        assert.equal(said?.includes('Verified Successfully') ?? false, wanted, row.name)
      }
      const theirs = run(
        { key: privateKey, digest },
        ...words('pkeyutl -sign -keyform DER -inkey key -in digest'),
        ...pkeyopt,
      )
      assert.equal(verify(row, key.publicKey, digest, 'DIGEST', theirs), true, row.name)
      assert.equal(verify(row, key.publicKey, message, 'RAW', theirs), true, row.name)
    }
  },
)

test('OpenSSL finds in our private keys the public keys that we give', found, () => {
  const run = present(found)
  for (const spec of pairSpecs.filter((each) => !each.startsWith('ML_'))) {
    const { privateKey, publicKey } = generatePair(spec).material
    const theirs = run(
      { key: privateKey },
      ...words('pkey -inform DER -in key -pubout -outform DER'),
    )
    assert.deepEqual(theirs, publicKey, spec)
    run({ key: privateKey }, ...words('pkey -inform DER -in key -noout -check'))
  }
})

test('OpenSSL opens what we encrypt by OAEP, and we open what it encrypts', found, () => {
  const run = present(found)
  const plaintext = randomBytes(100)
  for (const spec of ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const) {
    for (const row of algorithms.filter((each) => each.usage === 'ENCRYPT_DECRYPT')) {
      const key = generatePair(spec)
      const options = [
        'rsa_padding_mode:oaep',
        `rsa_oaep_md:${row.hash.name}`,
        `rsa_mgf1_md:${row.hash.name}`,
      ]
      const pkeyopt = options.flatMap((option) => ['-pkeyopt', option])
      const theirs = run(
        { key: key.material.publicKey, plaintext },
        ...words('pkeyutl -encrypt -pubin -keyform DER -inkey key -in plaintext'),
        ...pkeyopt,
      )
      assert.deepEqual(decrypt(row, key.privateKey, theirs), plaintext)
      const ciphertext = encrypt(row, spec, key.publicKey, plaintext)
      const opened = run(
        { key: key.material.privateKey, ciphertext },
        ...words('pkeyutl -decrypt -keyform DER -inkey key -in ciphertext'),
        ...pkeyopt,
      )
      assert.deepEqual(opened, plaintext)
    }
  }
})

test('OpenSSL derives our shared secrets and computes our MACs', found, () => {
  const run = present(found)
  for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const) {
    const [ours, theirs] = [generatePair(spec), generatePair(spec)]
    const secret = run(
      { key: theirs.material.privateKey, peer: ours.material.publicKey },
      ...words('pkeyutl -derive -keyform DER -inkey key -peerform DER -peerkey peer'),
    )
    assert.deepEqual(deriveSharedSecret(ours.privateKey, theirs.material.publicKey), secret)
  }
  for (const row of algorithms.filter((each) => each.usage === 'GENERATE_VERIFY_MAC')) {
    const material = generateMacKey(row.specs[0] ?? 'HMAC_256')
    const key = openMaterial(row.specs[0] ?? 'HMAC_256', material)
    const theirs = run(
      { message },
      'dgst',
      `-${row.hash.name}`,
      '-mac',
      'HMAC',
      '-macopt',
      `hexkey:${material.toString('hex')}`,
      '-binary',
      'message',
    )
    assert.deepEqual(generateMac(row, key, message), theirs)
  }
})

function words(text: string): readonly string[] {
  return text.split(' ')
}

function attempt(action: () => string): string | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
