import assert from 'node:assert/strict'
import { test } from 'node:test'
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

const Plaintext = Buffer.from('attack at dawn').toString('base64')

test('Encrypt seals under the key, with the context, and says which key', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const answer = await call(world, 'Encrypt', {
    KeyId: key.keyId,
    Plaintext,
    EncryptionContext: { purpose: 'test' },
  })
  const { CiphertextBlob, ...rest } = answer
  assert.deepEqual(rest, {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
  })
  const sealed: unknown = JSON.parse(Buffer.from(CiphertextBlob as Uint8Array).toString())
  assert.deepEqual(sealed, {
    keyId: key.keyId,
    plaintext: [...Buffer.from('attack at dawn')],
    context: { purpose: 'test' },
    kind: 'ciphertext',
  })
})

test('Encrypt refuses an algorithm that the key has not', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const given = { KeyId, Plaintext, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  await assert.rejects(call(world, 'Encrypt', given), {
    code: 'InvalidKeyUsageException',
    message: 'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
  })
})

test('Encrypt takes 4096 bytes and not 4097, and does not show them', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const bytes = (length: number): string => Buffer.alloc(length).toString('base64')
  await call(world, 'Encrypt', { KeyId, Plaintext: bytes(4096) })
  await assert.rejects(call(world, 'Encrypt', { KeyId, Plaintext: bytes(4097) }), (error) => {
    assert(error instanceof InputRefused)
    const constraint = { kind: 'maxLength', limit: 4096 }
    assert.deepEqual(error.failures, [{ path: 'plaintext', value: null, constraint }])
    return true
  })
})

for (const [state, code] of [
  ['Disabled', 'DisabledException'],
  ['PendingDeletion', 'KMSInvalidStateException'],
  ['PendingImport', 'KMSInvalidStateException'],
  ['Unavailable', 'KMSInvalidStateException'],
  ['Creating', 'KMSInvalidStateException'],
] as const) {
  test(`Encrypt with a key in ${state} is a ${code}`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    await assert.rejects(call(world, 'Encrypt', { KeyId: key.keyId, Plaintext }), { code })
  })
}

test('Encrypt works while a key is being updated', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Updating' })
  assert((await call(world, 'Encrypt', { KeyId: key.keyId, Plaintext }))['CiphertextBlob'])
})

test('Encrypt under an RSA key answers a bare ciphertext, and takes no context', async () => {
  const world = createWorld()
  const key = await makeKey(world, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const given = { KeyId: key.keyId, Plaintext: 'eA==', EncryptionAlgorithm }
  for (const more of [{}, { EncryptionContext: {} }]) {
    assert.deepEqual(await call(world, 'Encrypt', { ...given, ...more }), {
      CiphertextBlob: answerFor(key, EncryptionAlgorithm, Buffer.from('x')),
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      EncryptionAlgorithm,
    })
  }
  await assert.rejects(call(world, 'Encrypt', { ...given, EncryptionContext: { a: 'b' } }), {
    code: 'ValidationException',
    message: 'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
  })
  const { EncryptionAlgorithm: _, ...withoutAlgorithm } = given
  await assert.rejects(call(world, 'Encrypt', withoutAlgorithm), {
    code: 'InvalidKeyUsageException',
    message: 'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
  })
})
