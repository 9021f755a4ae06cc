import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import {
  InputRefused,
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
} from './memory-dependencies.ts'

for (const [given, length] of [
  [{ KeySpec: 'AES_256' }, 32],
  [{ KeySpec: 'AES_128' }, 16],
  [{ NumberOfBytes: 1 }, 1],
  [{ NumberOfBytes: 1024 }, 1024],
] as const) {
  test(`GenerateDataKeyWithoutPlaintext of ${JSON.stringify(given)} seals ${length} bytes`, async () => {
    const world = createWorld()
    const key = await makeKey(world)
    const EncryptionContext = { purpose: 'test' }
    const answer = await call(world, 'GenerateDataKeyWithoutPlaintext', {
      KeyId: key.keyId,
      EncryptionContext,
      ...given,
    })
    const { CiphertextBlob, ...rest } = answer
    assert.deepEqual(rest, {
      KeyId: `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`,
      KeyMaterialId: key.currentMaterialId,
    })
    assert.deepEqual(JSON.parse(Buffer.from(CiphertextBlob as Uint8Array).toString()), {
      keyId: key.keyId,
      plaintext: Array.from({ length }, () => 0xa5),
      context: EncryptionContext,
      kind: 'data-key',
    })
    assert.deepEqual(world.handedOut, [Buffer.alloc(length)])
  })
}

for (const given of [{}, { KeySpec: 'AES_256', NumberOfBytes: 32 }]) {
  test(`GenerateDataKeyWithoutPlaintext of ${JSON.stringify(given)} is refused before its key is looked at`, async () => {
    await assert.rejects(
      call(createWorld(), 'GenerateDataKeyWithoutPlaintext', { KeyId: 'nonsense', ...given }),
      {
        code: 'ValidationException',
        message: 'Please specify either number of bytes or key spec.',
      },
    )
  })
}

test('GenerateDataKeyWithoutPlaintext refuses any other spec with the list that AWS prints', async () => {
  const outcome = call(createWorld(), 'GenerateDataKeyWithoutPlaintext', {
    KeyId: 'a',
    KeySpec: 'RSA_2048',
  })
  await assert.rejects(outcome, (error) => {
    assert(error instanceof InputRefused)
    const values =
      'RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, ' +
      'ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ' +
      'ML_DSA_44, ML_DSA_65, ML_DSA_87'
    const constraint = { kind: 'enum', values: values.split(', ') }
    assert.deepEqual(error.failures, [{ path: 'keySpec', value: 'RSA_2048', constraint }])
    return true
  })
})

test('GenerateDataKeyWithoutPlaintext refuses no bytes and 1025', async () => {
  for (const NumberOfBytes of [0, 1025]) {
    const given = { KeyId: 'a', NumberOfBytes }
    await assert.rejects(
      call(createWorld(), 'GenerateDataKeyWithoutPlaintext', given),
      InputRefused,
    )
  }
})

test('GenerateDataKeyWithoutPlaintext with an asymmetric key is an InvalidKeyUsageException', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { spec: 'RSA_2048' })
  const given = { KeyId: key.keyId, KeySpec: 'AES_256' }
  await assert.rejects(call(world, 'GenerateDataKeyWithoutPlaintext', given), {
    code: 'InvalidKeyUsageException',
    message: 'You cannot generate a data key with an asymmetric CMK',
  })
  assert.deepEqual(world.handedOut, [])
})

for (const [state, code] of [
  ['Disabled', 'DisabledException'],
  ['PendingDeletion', 'KMSInvalidStateException'],
  ['PendingImport', 'KMSInvalidStateException'],
  ['Unavailable', 'KMSInvalidStateException'],
  ['Creating', 'KMSInvalidStateException'],
] as const) {
  test(`GenerateDataKeyWithoutPlaintext with a key in ${state} is a ${code}`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    await assert.rejects(
      call(world, 'GenerateDataKeyWithoutPlaintext', { KeyId: key.keyId, KeySpec: 'AES_256' }),
      { code },
    )
  })
}

test('GenerateDataKeyWithoutPlaintext works while a key is being updated', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Updating' })
  assert(
    (
      await call(world, 'GenerateDataKeyWithoutPlaintext', { KeyId: key.keyId, KeySpec: 'AES_256' })
    )['CiphertextBlob'],
  )
})

test('GenerateDataKeyWithoutPlaintext leaves no plaintext when it cannot be sealed', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const failing = {
    ...world.keyStoreOf({ origin: 'AWS_KMS' }),
    encrypt: () => Promise.reject(new KmsError('KeyUnavailableException')),
  }
  const broken = { ...world, keyStoreOf: () => failing }
  await assert.rejects(
    call(broken, 'GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }),
    {
      code: 'KeyUnavailableException',
    },
  )
  assert.deepEqual(world.handedOut, [Buffer.alloc(32)])
})
