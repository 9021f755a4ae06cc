import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerFor } from './memory-pairs.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  type World,
} from './memory-dependencies.ts'

const Plaintext = Buffer.from('attack at dawn')
const EncryptionContext = { purpose: 'test' }

async function sealed(
  world: World,
  KeyId: string,
): Promise<{ readonly CiphertextBlob: string; readonly EncryptionContext: object }> {
  const { CiphertextBlob } = await call(world, 'Encrypt', {
    KeyId,
    Plaintext: Plaintext.toString('base64'),
    EncryptionContext,
  })
  return {
    CiphertextBlob: Buffer.from(CiphertextBlob as Uint8Array).toString('base64'),
    EncryptionContext,
  }
}

test('Decrypt opens with the key that the ciphertext names, and with the one that is named', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const ciphertext = await sealed(world, key.keyId)
  for (const given of [ciphertext, { ...ciphertext, KeyId: key.keyId }]) {
    assert.deepEqual(await call(world, 'Decrypt', given), {
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      Plaintext,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: key.currentMaterialId,
    })
  }
})

test('Decrypt with another context is an InvalidCiphertextException without a message', async () => {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  const given = { ...(await sealed(world, keyId)), EncryptionContext: { purpose: 'other' } }
  await assert.rejects(call(world, 'Decrypt', given), {
    code: 'InvalidCiphertextException',
    message: '',
  })
})

test('Decrypt without a ciphertext says that there is none', async () => {
  await assert.rejects(call(createWorld(), 'Decrypt', { KeyId: 'a' }), {
    code: 'ValidationException',
    message:
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: " +
      'Member must not be null',
  })
})

const ignoring = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }

test('Decrypt opens nothing in a dry run that ignores the ciphertext, whether there is one or not', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const KeyId = key.keyId
  const broken = { CiphertextBlob: 'AQ==', KeyId, ...ignoring }
  assert.deepEqual(await call(world, 'Decrypt', broken), {})
  assert.deepEqual(await call(world, 'Decrypt', { KeyId, ...ignoring }), {})
  assert.deepEqual(world.handedOut, [])
  const other = { KeyId, ...ignoring, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }
  await assert.rejects(call(world, 'Decrypt', other), { code: 'InvalidKeyUsageException' })
  alter(world, key, { state: 'Disabled' })
  await assert.rejects(call(world, 'Decrypt', broken), { code: 'DisabledException' })
})

test('Decrypt says of an RSA key without its algorithm that it would not have succeeded', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, {
    KeySpec: 'RSA_2048',
    KeyUsage: 'ENCRYPT_DECRYPT',
  })
  await assert.rejects(call(world, 'Decrypt', { KeyId, ...ignoring }), {
    code: 'InvalidKeyUsageException',
    message: 'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
  })
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const named = { KeyId, EncryptionAlgorithm, ...ignoring }
  assert.deepEqual(await call(world, 'Decrypt', named), {})
})

test('Decrypt ignores a ciphertext in dry runs that name their key only', async () => {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  const given = { ...(await sealed(world, keyId)), ...ignoring }
  for (const [more, message] of [
    [{ KeyId: keyId, DryRun: false }, '`DryRunModifiers` needs `DryRun`'],
    [{}, 'KeyId must not be null'],
  ] as const) {
    const code = 'ValidationException'
    await assert.rejects(call(world, 'Decrypt', { ...given, ...more }), { code, message })
  }
  // An empty list modifies nothing.
  const none = { ...given, DryRunModifiers: [], DryRun: false }
  assert.deepEqual((await call(world, 'Decrypt', none))['Plaintext'], Plaintext)
})

test('Decrypt refuses an algorithm that the key has not, and a key that is disabled', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const given = { ...(await sealed(world, key.keyId)), KeyId: key.keyId }
  const algorithm = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }
  await assert.rejects(call(world, 'Decrypt', { ...given, ...algorithm }), {
    code: 'InvalidKeyUsageException',
  })
  alter(world, key, { state: 'Disabled' })
  // The state is checked before the algorithm.
  await assert.rejects(call(world, 'Decrypt', { ...given, ...algorithm }), {
    code: 'DisabledException',
  })
})

test('Decrypt opens bare ciphertexts under the RSA key and algorithm that are named', async () => {
  const world = createWorld()
  const key = await makeKey(world, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const given = {
    CiphertextBlob: answerFor(key, EncryptionAlgorithm, Plaintext).toString('base64'),
    EncryptionAlgorithm,
  }
  const named = { ...given, KeyId: key.keyId }
  assert.deepEqual(await call(world, 'Decrypt', named), {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
    Plaintext,
    EncryptionAlgorithm,
  })
  await assert.rejects(call(world, 'Decrypt', given), {
    code: 'ValidationException',
    message: 'KeyId must not be null',
  })
  const invalid = { code: 'InvalidCiphertextException', message: '' }
  for (const other of ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'SM2PKE']) {
    await assert.rejects(call(world, 'Decrypt', { ...named, EncryptionAlgorithm: other }), invalid)
  }
  await assert.rejects(call(world, 'Decrypt', { ...named, EncryptionContext }), {
    code: 'ValidationException',
    message: noContext,
  })
})

const noContext =
  'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.'
