import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sign } from '../../../src/operations/kms/sign.ts'
import { answerFor } from './memory-pairs.ts'
import {
  InputRefused,
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
} from './memory-dependencies.ts'

const Message = Buffer.from('message')
const given = { Message: Message.toString('base64'), SigningAlgorithm: 'ECDSA_SHA_256' }
const signer = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }

test('Sign signs the message as the type that is given, RAW when none is', async () => {
  const world = createWorld()
  const key = await makeKey(world, signer)
  for (const MessageType of [undefined, 'RAW', 'DIGEST']) {
    const more = MessageType === undefined ? {} : { MessageType }
    assert.deepEqual(await call(world, 'Sign', { ...given, ...more, KeyId: key.keyId }), {
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      Signature: answerFor(key, 'ECDSA_SHA_256', MessageType ?? 'RAW', Message),
      SigningAlgorithm: 'ECDSA_SHA_256',
    })
  }
})

test('Sign refuses an algorithm of another spec, after the state of the key', async () => {
  const world = createWorld()
  const key = await makeKey(world, signer)
  for (const SigningAlgorithm of [
    'ECDSA_SHA_384',
    'RSASSA_PSS_SHA_256',
    'SM2DSA',
    'SYMMETRIC_DEFAULT',
  ]) {
    const asked = { ...given, SigningAlgorithm, KeyId: key.keyId }
    await assert.rejects(call(world, 'Sign', asked), {
      code: 'InvalidKeyUsageException',
      message: `Algorithm ${SigningAlgorithm} is incompatible with key spec ECC_NIST_P256.`,
    })
    const disabled = alter(world, key, { state: 'Disabled' })
    await assert.rejects(call(world, 'Sign', asked), { code: 'DisabledException' })
    alter(world, disabled, { state: 'Enabled' })
  }
})

test('Sign is for keys that sign', async () => {
  const world = createWorld()
  for (const other of [
    {},
    { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  ]) {
    const { keyId: KeyId } = await makeKey(world, other)
    await assert.rejects(call(world, 'Sign', { ...given, KeyId }), {
      code: 'InvalidKeyUsageException',
    })
  }
})

test('Sign names every member that it misses, and hides the message', async () => {
  await assert.rejects(call(createWorld(), 'Sign'), (error) => {
    assert(error instanceof InputRefused)
    const constraint = { kind: 'required' }
    assert.deepEqual(error.failures, [
      { path: 'keyId', value: undefined, constraint },
      { path: 'message', value: null, constraint },
      { path: 'signingAlgorithm', value: undefined, constraint },
    ])
    return true
  })
})

test('Sign shows policies the algorithm and the type of the message, and records no message', () => {
  const input = { KeyId: 'a', Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const
  assert.deepEqual(sign.context?.(input, 'key', {}), {
    'kms:SigningAlgorithm': 'ECDSA_SHA_256',
    'kms:MessageType': 'RAW',
  })
  const digest = sign.context?.({ ...input, MessageType: 'DIGEST' }, 'key', {})
  assert.equal(digest?.['kms:MessageType'], 'DIGEST')
  assert.deepEqual(sign.audit, ['KeyId', 'MessageType', 'SigningAlgorithm', 'DryRun'])
})
