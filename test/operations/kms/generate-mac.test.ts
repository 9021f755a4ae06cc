import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateMac } from '../../../src/operations/kms/generate-mac.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const Message = Buffer.from('message')
const given = { Message: Message.toString('base64'), MacAlgorithm: 'HMAC_SHA_384' }
const macKey = { KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' }

test('GenerateMac answers the MAC of the message under the key', async () => {
  const world = createWorld()
  const key = await makeKey(world, macKey)
  assert.deepEqual(await call(world, 'GenerateMac', { ...given, KeyId: key.keyId }), {
    Mac: answerFor(key, 'HMAC_SHA_384', Message),
    MacAlgorithm: 'HMAC_SHA_384',
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
  })
})

test('GenerateMac takes the one algorithm of the key, and says so after its state', async () => {
  const world = createWorld()
  const key = await makeKey(world, macKey)
  const asked = { ...given, MacAlgorithm: 'HMAC_SHA_512', KeyId: key.keyId }
  await assert.rejects(call(world, 'GenerateMac', asked), {
    code: 'InvalidKeyUsageException',
    message: 'Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_384.',
  })
  alter(world, key, { state: 'Disabled' })
  await assert.rejects(call(world, 'GenerateMac', asked), { code: 'DisabledException' })
})

test('GenerateMac shows policies the algorithm, and records no message', () => {
  const input = { KeyId: 'a', Message, MacAlgorithm: 'HMAC_SHA_384' } as const
  assert.deepEqual(generateMac.context?.(input, 'key', {}), { 'kms:MacAlgorithm': 'HMAC_SHA_384' })
  assert.deepEqual(generateMac.audit, ['KeyId', 'MacAlgorithm', 'DryRun'])
})
