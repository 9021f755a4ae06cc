import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

test('GetPublicKey answers the public half, and the algorithms under the member of the usage', async () => {
  const world = createWorld()
  for (const [KeySpec, KeyUsage, member, algorithms] of [
    [
      'RSA_3072',
      'ENCRYPT_DECRYPT',
      'EncryptionAlgorithms',
      ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
    ],
    ['ECC_NIST_P384', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_384']],
    ['ECC_NIST_P384', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH']],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', 'EncapsulationAlgorithms', ['ML_KEM']],
  ] as const) {
    const key = await makeKey(world, { KeySpec, KeyUsage })
    assert.deepEqual(await call(world, 'GetPublicKey', { KeyId: key.keyId }), {
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      PublicKey: answerFor(key, 'public'),
      CustomerMasterKeySpec: KeySpec,
      KeySpec,
      KeyUsage,
      [member]: algorithms,
    })
  }
})

test('GetPublicKey of a key that is no pair is an UnsupportedOperationException without a message', async () => {
  const world = createWorld()
  for (const given of [{}, { KeySpec: 'HMAC_224', KeyUsage: 'GENERATE_VERIFY_MAC' }]) {
    const { keyId: KeyId } = await makeKey(world, given)
    await assert.rejects(call(world, 'GetPublicKey', { KeyId }), {
      code: 'UnsupportedOperationException',
      message: '',
    })
  }
})

test('GetPublicKey works on a disabled key, and tells the state of others before their spec', async () => {
  const world = createWorld()
  const key = await makeKey(world, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const symmetric = await makeKey(world)
  alter(world, key, { state: 'Disabled' })
  assert.ok((await call(world, 'GetPublicKey', { KeyId: key.keyId }))['PublicKey'])
  for (const state of ['PendingDeletion', 'PendingImport', 'Creating'] as const) {
    for (const each of [key, symmetric]) {
      alter(world, each, { state })
      await assert.rejects(call(world, 'GetPublicKey', { KeyId: each.keyId }), {
        code: 'KMSInvalidStateException',
      })
    }
  }
})
