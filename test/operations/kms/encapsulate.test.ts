import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encapsulate } from '../../../src/operations/kms/encapsulate.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const given = {
  EncapsulationAlgorithm: 'ML_KEM',
}
const kem = { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' }

test('Encapsulate answers the secret of the key', async () => {
  const world = createWorld()
  const key = await makeKey(world, kem)
  assert.deepEqual(await call(world, 'Encapsulate', { ...given, KeyId: key.keyId }), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    SharedSecret: answerFor(key, 'ML_KEM', 'secret'),
    SharedSecretCiphertextBlob: answerFor(key, 'ML_KEM', 'ciphertext'),
    EncapsulationAlgorithm: 'ML_KEM',
  })
})

test('Encapsulate is for ML-KEM keys that can be used', async () => {
  const world = createWorld()
  const other = await makeKey(world, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  await assert.rejects(call(world, 'Encapsulate', { ...given, KeyId: other.keyId }), {
    code: 'InvalidKeyUsageException',
  })
  const key = await makeKey(world, kem)
  alter(world, key, { state: 'PendingDeletion' })
  await assert.rejects(call(world, 'Encapsulate', { ...given, KeyId: key.keyId }), {
    code: 'KMSInvalidStateException',
  })
})

test('Encapsulate shows policies its algorithm, and records the key and the algorithm', () => {
  const input = {
    KeyId: 'a',
    EncapsulationAlgorithm: 'ML_KEM',
    SharedSecretCiphertextBlob: Buffer.of(1),
  } as const
  assert.deepEqual(encapsulate.context?.(input, 'key', {}), {
    'kms:EncapsulationAlgorithm': 'ML_KEM',
  })
  assert.deepEqual(encapsulate.audit, ['KeyId', 'EncapsulationAlgorithm', 'DryRun'])
})
