/** Private keys and shared secrets for attested recipients: sealed for them, and nowhere in the clear. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  GenerateDataKeyPairCommand,
} from '@aws-sdk/client-kms'
import { kms, newKey, opened, recipientOf } from './attested.ts'
import { publicKeyOf } from './asymmetric-keys.ts'

test('GenerateDataKeyPair for a recipient gives the private key to the recipient alone', async () => {
  const KeyId = await newKey()
  for (const KeyPairSpec of ['RSA_4096', 'ECC_NIST_P256', 'ML_KEM_768'] as const) {
    const answer = await kms.send(
      new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec, Recipient: recipientOf() }),
    )
    assert.equal(answer.PrivateKeyPlaintext, undefined)
    const key = Buffer.from(await opened(answer.CiphertextForRecipient), 'latin1')
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    const derived = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
    assert.deepEqual(derived, Buffer.from(answer.PublicKey ?? []))
    const CiphertextBlob = answer.PrivateKeyCiphertextBlob
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(Plaintext ?? []), key)
  }
})

test('DeriveSharedSecret for a recipient gives the secret to the recipient alone', async () => {
  const created = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' })
  const { KeyMetadata } = await kms.send(created)
  const KeyId = KeyMetadata?.KeyId ?? ''
  const peer = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const answer = await kms.send(
    new DeriveSharedSecretCommand({
      KeyId,
      KeyAgreementAlgorithm: 'ECDH',
      PublicKey: peer.publicKey.export({ format: 'der', type: 'spki' }),
      Recipient: recipientOf(),
    }),
  )
  assert.equal(answer.SharedSecret, undefined)
  const publicKey = await publicKeyOf(kms, KeyId)
  const secret = diffieHellman({ privateKey: peer.privateKey, publicKey })
  assert.equal(await opened(answer.CiphertextForRecipient), secret.toString('latin1'))
})
