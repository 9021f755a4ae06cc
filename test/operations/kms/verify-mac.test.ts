import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyMac } from '../../../src/operations/kms/verify-mac.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const Message = Buffer.from('message')
const macKey = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }

async function authenticated() {
  const world = createWorld()
  const key = await makeKey(world, macKey)
  const given = {
    KeyId: key.keyId,
    Message: Message.toString('base64'),
    MacAlgorithm: 'HMAC_SHA_256',
    Mac: answerFor(key, 'HMAC_SHA_256', Message).toString('base64'),
  }
  return { world, key, given }
}

test('VerifyMac says that a MAC is valid', async () => {
  const { world, key, given } = await authenticated()
  assert.deepEqual(await call(world, 'VerifyMac', given), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    MacValid: true,
    MacAlgorithm: 'HMAC_SHA_256',
  })
})

test('VerifyMac never answers that a MAC is not valid: it is an exception without a message', async () => {
  const { world, given } = await authenticated()
  for (const wrong of [
    { Mac: Buffer.of(1).toString('base64') },
    { Message: Buffer.of(1).toString('base64') },
  ]) {
    await assert.rejects(call(world, 'VerifyMac', { ...given, ...wrong }), {
      code: 'KMSInvalidMacException',
      message: '',
    })
  }
})

test('VerifyMac asks the algorithm before the MAC', async () => {
  const { world, given } = await authenticated()
  const asked = { ...given, MacAlgorithm: 'HMAC_SHA_224', Mac: 'AQ==' }
  await assert.rejects(call(world, 'VerifyMac', asked), { code: 'InvalidKeyUsageException' })
})

test('VerifyMac shows policies the algorithm, and records neither message nor MAC', () => {
  const input = { KeyId: 'a', Message, Mac: Message, MacAlgorithm: 'HMAC_SHA_256' } as const
  assert.deepEqual(verifyMac.context?.(input, 'key', {}), { 'kms:MacAlgorithm': 'HMAC_SHA_256' })
  assert.deepEqual(verifyMac.audit, ['KeyId', 'MacAlgorithm', 'DryRun'])
})
