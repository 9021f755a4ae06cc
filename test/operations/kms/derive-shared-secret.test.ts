import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveSharedSecret } from '../../../src/operations/kms/derive-shared-secret.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const PublicKey = Buffer.from('a peer')
const given = { PublicKey: PublicKey.toString('base64'), KeyAgreementAlgorithm: 'ECDH' }

test('DeriveSharedSecret answers the secret, and where the key comes from', async () => {
  const world = createWorld()
  const key = await makeKey(world, { KeySpec: 'ECC_NIST_P521', KeyUsage: 'KEY_AGREEMENT' })
  assert.deepEqual(await call(world, 'DeriveSharedSecret', { ...given, KeyId: key.keyId }), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    SharedSecret: answerFor(key, 'ECDH', PublicKey),
    KeyAgreementAlgorithm: 'ECDH',
    KeyOrigin: 'AWS_KMS',
  })
})

test('DeriveSharedSecret is for keys that agree and can be used', async () => {
  const world = createWorld()
  const signer = await makeKey(world, { KeySpec: 'ECC_NIST_P521', KeyUsage: 'SIGN_VERIFY' })
  await assert.rejects(call(world, 'DeriveSharedSecret', { ...given, KeyId: signer.keyId }), {
    code: 'InvalidKeyUsageException',
  })
  const key = await makeKey(world, { KeySpec: 'ECC_NIST_P521', KeyUsage: 'KEY_AGREEMENT' })
  alter(world, key, { state: 'Disabled' })
  await assert.rejects(call(world, 'DeriveSharedSecret', { ...given, KeyId: key.keyId }), {
    code: 'DisabledException',
  })
})

test('DeriveSharedSecret seals its secret for a recipient, shows its algorithm, records no peer', () => {
  assert.equal(deriveSharedSecret.recipient, 'SharedSecret')
  const input = { KeyId: 'a', PublicKey, KeyAgreementAlgorithm: 'ECDH' } as const
  const entries = deriveSharedSecret.context?.(input, 'key', {})
  assert.deepEqual(entries, { 'kms:KeyAgreementAlgorithm': 'ECDH' })
  assert.deepEqual(deriveSharedSecret.audit, ['KeyId', 'KeyAgreementAlgorithm', 'DryRun'])
})
