import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { generateDataKeyPair } from '../../../src/operations/kms/generate-data-key-pair.ts'
import { accountId, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const EncryptionContext = { purpose: 'test' }
const given = { KeyPairSpec: 'ECC_NIST_P384', EncryptionContext }
const privateKey = Buffer.from('private ECC_NIST_P384')

test('GenerateDataKeyPair answers a pair, its private half sealed as a data key', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const answer = await call(world, 'GenerateDataKeyPair', { ...given, KeyId: key.keyId })
  const { PrivateKeyCiphertextBlob, ...rest } = answer
  assert.deepEqual(JSON.parse(Buffer.from(PrivateKeyCiphertextBlob as Uint8Array).toString()), {
    keyId: key.keyId,
    plaintext: [...privateKey],
    context: EncryptionContext,
    kind: 'data-key',
  })
  assert.deepEqual(rest, {
    PrivateKeyPlaintext: privateKey,
    PublicKey: Buffer.from('public ECC_NIST_P384'),
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    KeyPairSpec: 'ECC_NIST_P384',
    KeyMaterialId: key.currentMaterialId,
  })
  assert.deepEqual(world.used, { keyMaterialId: key.currentMaterialId })
})

test('GenerateDataKeyPair leaves no private key behind when it cannot be sealed', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const failing = {
    ...world.keyStoreOf({ origin: 'AWS_KMS' }),
    encrypt: () => Promise.reject(new KmsError('KeyUnavailableException')),
  }
  const broken = { ...world, keyStoreOf: () => failing }
  await assert.rejects(call(broken, 'GenerateDataKeyPair', { ...given, KeyId }), {
    code: 'KeyUnavailableException',
  })
  assert.deepEqual(world.handedOut, [Buffer.alloc(privateKey.length)])
})

test('GenerateDataKeyPair refuses asymmetric keys, and a pair of China Regions, before it makes any', async () => {
  const world = createWorld()
  const rsa = await makeKey(world, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  await assert.rejects(call(world, 'GenerateDataKeyPair', { ...given, KeyId: rsa.keyId }), {
    code: 'InvalidKeyUsageException',
    message: 'You cannot generate a data key pair with an asymmetric CMK',
  })
  const { keyId: KeyId } = await makeKey(world)
  await assert.rejects(call(world, 'GenerateDataKeyPair', { KeyId, KeyPairSpec: 'SM2' }), {
    code: 'UnsupportedOperationException',
    message: 'KeyPairSpec SM2 is not supported in this Region',
  })
  assert.deepEqual(world.handedOut, [])
})

test('GenerateDataKeyPair shows policies the spec of the pair and the context', () => {
  const input = { KeyId: 'a', KeyPairSpec: 'RSA_4096', EncryptionContext } as const
  assert.deepEqual(generateDataKeyPair.context?.(input, 'key', {}), {
    'kms:DataKeyPairSpec': 'RSA_4096',
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    'kms:EncryptionContext:purpose': 'test',
    'kms:EncryptionContextKeys': ['purpose'],
  })
  assert.deepEqual(generateDataKeyPair.audit, [
    'EncryptionContext',
    'KeyId',
    'KeyPairSpec',
    'DryRun',
  ])
  assert.equal(generateDataKeyPair.recipient, 'PrivateKeyPlaintext')
})
