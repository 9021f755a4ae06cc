import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { reEncrypt } from '../../../src/operations/kms/re-encrypt.ts'
import { answerFor } from './memory-pairs.ts'
import { accountId, alter, call, createWorld, makeKey, region } from './memory-dependencies.ts'

const Plaintext = Buffer.from('attack at dawn')

async function twoKeys() {
  const world = createWorld()
  const source = await makeKey(world)
  const destination = await makeKey(world)
  const { CiphertextBlob } = await call(world, 'Encrypt', {
    KeyId: source.keyId,
    Plaintext: Plaintext.toString('base64'),
    EncryptionContext: { side: 'source' },
  })
  const given = {
    CiphertextBlob: Buffer.from(CiphertextBlob as Uint8Array).toString('base64'),
    SourceEncryptionContext: { side: 'source' },
    DestinationEncryptionContext: { side: 'destination' },
    DestinationKeyId: destination.keyId,
  }
  return { world, source, destination, given }
}

test('ReEncrypt seals under the other key and context, and leaves no plaintext', async () => {
  const { world, source, destination, given } = await twoKeys()
  const { CiphertextBlob, ...rest } = await call(world, 'ReEncrypt', given)
  const arn = `arn:aws:kms:${region}:${accountId}:key`
  assert.deepEqual(rest, {
    SourceKeyId: `${arn}/${source.keyId}`,
    KeyId: `${arn}/${destination.keyId}`,
    SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    SourceKeyMaterialId: source.currentMaterialId,
    DestinationKeyMaterialId: destination.currentMaterialId,
  })
  assert.deepEqual(JSON.parse(Buffer.from(CiphertextBlob as Uint8Array).toString()), {
    keyId: destination.keyId,
    plaintext: [...Plaintext],
    context: { side: 'destination' },
    kind: 'ciphertext',
  })
  assert.deepEqual(world.handedOut, [Buffer.alloc(Plaintext.length)])
})

test('ReEncrypt leaves no plaintext when the second half fails', async () => {
  const { world, given } = await twoKeys()
  const failing = {
    ...world.keyStoreOf({ origin: 'AWS_KMS' }),
    encrypt: () => Promise.reject(new KmsError('KeyUnavailableException')),
  }
  const broken = { ...world, keyStoreOf: () => failing }
  await assert.rejects(call(broken, 'ReEncrypt', given), { code: 'KeyUnavailableException' })
  assert.deepEqual(world.handedOut, [Buffer.alloc(Plaintext.length)])
})

test('ReEncrypt with another source context is an InvalidCiphertextException', async () => {
  const { world, given } = await twoKeys()
  await assert.rejects(call(world, 'ReEncrypt', { ...given, SourceEncryptionContext: {} }), {
    code: 'InvalidCiphertextException',
  })
})

test('ReEncrypt asks the state of either key', async () => {
  for (const side of ['source', 'destination'] as const) {
    const keys = await twoKeys()
    alter(keys.world, keys[side], { state: 'Disabled' })
    await assert.rejects(call(keys.world, 'ReEncrypt', keys.given), {
      code: 'DisabledException',
      message: `arn:aws:kms:${region}:${accountId}:key/${keys[side].keyId} is disabled.`,
    })
  }
})

test('ReEncrypt shows each policy the context of its own side, and whether the key is the same', async () => {
  const { source, destination } = await twoKeys()
  const input = {
    CiphertextBlob: new Uint8Array(1),
    DestinationKeyId: destination.keyId,
    SourceEncryptionContext: { side: 'source' },
    DestinationEncryptionContext: { side: 'destination' },
    DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  } as const
  assert.deepEqual(reEncrypt.context?.(input, 'source', { source, destination }), {
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    'kms:EncryptionContext:side': 'source',
    'kms:EncryptionContextKeys': ['side'],
    'kms:ReEncryptOnSameKey': 'false',
  })
  assert.deepEqual(reEncrypt.context?.(input, 'destination', { source, destination: source }), {
    'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_256',
    'kms:EncryptionContext:side': 'destination',
    'kms:EncryptionContextKeys': ['side'],
    'kms:ReEncryptOnSameKey': 'true',
  })
  const unknown = reEncrypt.context?.(input, 'destination', { destination })
  assert.equal(unknown?.['kms:ReEncryptOnSameKey'], undefined)
})

test('ReEncrypt opens nothing in a dry run that ignores the ciphertext, and needs the key named', async () => {
  const { world, source, given } = await twoKeys()
  const ignoring = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }
  const { CiphertextBlob: _, ...without } = given
  const named = { ...ignoring, SourceKeyId: source.keyId }
  assert.deepEqual(await call(world, 'ReEncrypt', { ...without, ...named }), {})
  assert.deepEqual(await call(world, 'ReEncrypt', { ...given, ...named }), {})
  assert.deepEqual(world.handedOut, [])
  for (const [more, message] of [
    [{ ...named, DryRun: false }, '`DryRunModifiers` needs `DryRun`'],
    [ignoring, 'SourceKeyId must not be null'],
  ] as const) {
    const code = 'ValidationException'
    await assert.rejects(call(world, 'ReEncrypt', { ...given, ...more }), { code, message })
  }
})

test('ReEncrypt shows key material of symmetric sides only', async () => {
  const { world, source, given } = await twoKeys()
  const rsa = await makeKey(world, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const algorithm = 'RSAES_OAEP_SHA_1'
  const { DestinationEncryptionContext: _, ...without } = given
  const asked = {
    ...without,
    DestinationKeyId: rsa.keyId,
    DestinationEncryptionAlgorithm: algorithm,
  }
  const answer = await call(world, 'ReEncrypt', asked)
  assert.deepEqual(answer['CiphertextBlob'], answerFor(rsa, algorithm, Plaintext))
  assert.equal(answer['SourceKeyMaterialId'], source.currentMaterialId)
  assert.equal(Object.hasOwn(answer, 'DestinationKeyMaterialId'), false)
  const back = await call(world, 'ReEncrypt', {
    CiphertextBlob: Buffer.from(answer['CiphertextBlob'] as Uint8Array).toString('base64'),
    SourceKeyId: rsa.keyId,
    SourceEncryptionAlgorithm: algorithm,
    DestinationKeyId: source.keyId,
  })
  assert.equal(Object.hasOwn(back, 'SourceKeyMaterialId'), false)
  assert.equal(back['DestinationKeyMaterialId'], source.currentMaterialId)
  assert.deepEqual(
    world.handedOut.map((each) => [...each].every((byte) => byte === 0)),
    [true, true],
  )
})

test('ReEncrypt checks both sides before it opens anything', async () => {
  const { world, given } = await twoKeys()
  const rsa = await makeKey(world, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const asked = { ...given, DestinationKeyId: rsa.keyId }
  await assert.rejects(call(world, 'ReEncrypt', asked), { code: 'InvalidKeyUsageException' })
  const algorithm = { DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  await assert.rejects(call(world, 'ReEncrypt', { ...asked, ...algorithm }), {
    code: 'ValidationException',
  })
  assert.deepEqual(world.handedOut, [])
})
