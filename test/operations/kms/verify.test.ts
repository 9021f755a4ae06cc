import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verify } from '../../../src/operations/kms/verify.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const Message = Buffer.from('message')
const signer = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }

async function signed() {
  const world = createWorld()
  const key = await makeKey(world, signer)
  const given = {
    KeyId: key.keyId,
    Message: Message.toString('base64'),
    SigningAlgorithm: 'ECDSA_SHA_256',
    Signature: answerFor(key, 'ECDSA_SHA_256', 'RAW', Message).toString('base64'),
  }
  return { world, key, given }
}

test('Verify says that a signature is valid', async () => {
  const { world, key, given } = await signed()
  assert.deepEqual(await call(world, 'Verify', given), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    SignatureValid: true,
    SigningAlgorithm: 'ECDSA_SHA_256',
  })
})

test('Verify never answers that a signature is not valid: it is an exception without a message', async () => {
  const { world, given } = await signed()
  for (const wrong of [
    { Signature: Buffer.of(1).toString('base64') },
    { Message: Buffer.of(1).toString('base64') },
    { MessageType: 'DIGEST' },
  ]) {
    await assert.rejects(call(world, 'Verify', { ...given, ...wrong }), {
      code: 'KMSInvalidSignatureException',
      message: '',
    })
  }
})

test('Verify asks state, then algorithm, then the signature', async () => {
  const { world, key, given } = await signed()
  const wrong = { ...given, Signature: Buffer.of(1).toString('base64') }
  const both = { ...wrong, SigningAlgorithm: 'ECDSA_SHA_512' }
  await assert.rejects(call(world, 'Verify', both), {
    code: 'InvalidKeyUsageException',
    message: 'Algorithm ECDSA_SHA_512 is incompatible with key spec ECC_NIST_P256.',
  })
  alter(world, key, { state: 'PendingDeletion' })
  await assert.rejects(call(world, 'Verify', both), { code: 'KMSInvalidStateException' })
})

test('Verify records neither message nor signature', () => {
  assert.deepEqual(verify.audit, ['KeyId', 'MessageType', 'SigningAlgorithm', 'DryRun'])
  const input = { KeyId: 'a', Message, Signature: Message, SigningAlgorithm: 'SM2DSA' } as const
  assert.deepEqual(verify.context?.(input, 'key', {}), {
    'kms:SigningAlgorithm': 'SM2DSA',
    'kms:MessageType': 'RAW',
  })
})
