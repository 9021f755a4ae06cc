/** The life of an imported key, in the order in which answers of AWS were recorded (September 2026). @module */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { createHmac, privateDecrypt, randomBytes, verify, constants } from 'node:crypto'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type KeySpec,
  type KeyUsageType,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { asNew, forever, importing } from './importing.ts'
import { recordsOf } from './records.ts'
import { rotating } from './rotating.ts'
import { makeKey, refused } from './sdk.ts'

const Plaintext = Buffer.from('import lifecycle')
const invalidState = 'KMSInvalidStateException'
const [A, B, C] = ['A', 'B', 'C'].map((letter) => Buffer.alloc(32, letter)) as [
  Buffer,
  Buffer,
  Buffer,
]
const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`

test('an imported symmetric key from its making to its deletion', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, parameters, send, take, state, history, metadata } = importing(kms)
  const { rotate } = rotating(kms)
  const KeyId = await makeExternal()
  const pending = `${arnOf(KeyId)} is pending import.`
  assert.equal(await state(KeyId), 'PendingImport -')
  assert.deepEqual(await history(KeyId), [])
  assert.equal(await take(KeyId), undefined)
  for (const Command of [EnableKeyCommand, DisableKeyCommand, RotateKeyOnDemandCommand]) {
    await refused(kms.send(new Command({ KeyId })), invalidState, pending)
  }
  const external = `${arnOf(KeyId)} origin is EXTERNAL which is not valid for this operation.`
  for (const Command of [EnableKeyRotationCommand, DisableKeyRotationCommand]) {
    await refused(kms.send(new Command({ KeyId })), 'UnsupportedOperationException', external)
  }
  const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  assert.equal(status.KeyRotationEnabled, false)

  const first = await parameters(KeyId)
  const second = await parameters(KeyId, 'RSAES_OAEP_SHA_1', 'RSA_3072')
  const described = { ...forever, KeyMaterialDescription: 'first material' }
  await refused(send(KeyId, A.subarray(16), first), 'InvalidCiphertextException')
  const { KeyMaterialId: a = '' } = await send(KeyId, A, first, described)
  assert.equal(await state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  assert.equal((await metadata(KeyId)).CurrentKeyMaterialId, a)
  const current = `${a.slice(0, 6)} CURRENT IMPORTED KEY_MATERIAL_DOES_NOT_EXPIRE`
  assert.deepEqual(await history(KeyId), [current])
  for (const by of [first, second]) assert.equal((await send(KeyId, A, by)).KeyMaterialId, a)
  await refused(
    send(KeyId, B, first),
    'IncorrectKeyMaterialException',
    `Imported key material does not have the expected identifier (${a}).`,
  )
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const nothing = `No available key material pending rotation for the key: ${arnOf(KeyId)}.`
  await refused(kms.send(new RotateKeyOnDemandCommand({ KeyId })), invalidState, nothing)

  const { KeyMaterialId: b = '' } = await send(KeyId, B, first, asNew)
  const waiting = `${b.slice(0, 6)} PENDING_ROTATION IMPORTED KEY_MATERIAL_DOES_NOT_EXPIRE`
  assert.deepEqual(await history(KeyId), [current, waiting])
  await assert.rejects(send(KeyId, C, first, asNew), (error: Error) => {
    const another = `another key material (id: ${b}) is pending rotation.`
    return error.name === invalidState && error.message.endsWith(`because ${another}`)
  })
  assert.equal(await take(KeyId, b), b)
  assert.deepEqual(await history(KeyId), [current])
  await send(KeyId, B, first, asNew)
  await rotate(KeyId)
  const old = current.replace('CURRENT', 'NON_CURRENT')
  assert.deepEqual(await history(KeyId), [old, waiting.replace('PENDING_ROTATION', 'CURRENT')])
  assert.equal((await metadata(KeyId)).CurrentKeyMaterialId, b)
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual([Buffer.from(opened.Plaintext ?? []), opened.KeyMaterialId], [Plaintext, a])
  const { CiphertextBlob: later } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))

  // One that is lacking takes the whole key down.
  assert.equal(await take(KeyId, a), a)
  assert.equal(await state(KeyId), 'PendingImport -')
  assert.equal((await metadata(KeyId)).CurrentKeyMaterialId, b)
  for (const call of [
    new EncryptCommand({ KeyId, Plaintext }),
    new DecryptCommand({ CiphertextBlob }),
    new DecryptCommand({ CiphertextBlob: later }),
    new DecryptCommand({ KeyId, CiphertextBlob }),
    new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId }),
    new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal: `arn:aws:iam::${accountId}:root`,
      Operations: ['Encrypt'],
    }),
  ]) {
    await refused(kms.send(call as EncryptCommand), invalidState, pending)
  }
  assert.deepEqual((await history(KeyId))[0], `${a.slice(0, 6)} NON_CURRENT PENDING_IMPORT -`)
  await send(KeyId, A, first, { ...forever, KeyMaterialId: a })
  for (const blob of [CiphertextBlob, later]) {
    await kms.send(new DecryptCommand({ CiphertextBlob: blob }))
  }

  // AWS enables a disabled key by it.
  await kms.send(new DisableKeyCommand({ KeyId }))
  await parameters(KeyId)
  await send(KeyId, B, first)
  assert.equal(await state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  const ValidTo = new Date(Date.now() + 3_600_500)
  await send(KeyId, B, first, { ValidTo })
  const shown = new Date(Math.floor(ValidTo.getTime() / 1000) * 1000).toISOString()
  assert.equal(await state(KeyId), `Enabled KEY_MATERIAL_EXPIRES ${shown}`)
  for (let times = 0; times < 2; times += 1) assert.equal(await take(KeyId), b)
  await refused(
    take(KeyId, '0'.repeat(64)),
    'ValidationException',
    `Key material (id: ${'0'.repeat(64)}) has never been imported into KMS key ${arnOf(KeyId)}.`,
  )
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  const dying = `${arnOf(KeyId)} is pending deletion.`
  await refused(parameters(KeyId), invalidState, dying)
  await refused(send(KeyId, B, first), invalidState, dying)
  await kms.send(new CancelKeyDeletionCommand({ KeyId }))
  assert.equal(await state(KeyId), 'PendingImport -')
  await send(KeyId, B, second)
  assert.equal(await state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
})

test('the records of an import name it, and hold none of it', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const { makeExternal, parameters, send, take } = importing(server.client())
  const KeyId = await makeExternal()
  const by = await parameters(KeyId)
  const ValidTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000)
  const options = { ValidTo, KeyMaterialDescription: 'the first' }
  const { KeyMaterialId } = await send(KeyId, A, by, options)
  await take(KeyId, KeyMaterialId)
  const records = await recordsOf(server.directory)
  const found = (name: string): Readonly<Record<string, unknown>> => {
    const record = records.find(({ eventName }) => eventName === name)
    return record === undefined ? assert.fail(name) : { ...record }
  }
  const wrapping = { wrappingAlgorithm: by.algorithm, wrappingKeySpec: 'RSA_2048' }
  const asked = found('GetParametersForImport')
  assert.deepEqual(
    [asked['requestParameters'], asked['responseElements'], asked['readOnly']],
    [{ keyId: KeyId, ...wrapping }, null, true],
  )
  const sent = found('ImportKeyMaterial')
  const { validTo, ...rest } = sent['requestParameters'] as Readonly<Record<string, unknown>>
  assert.match(String(validTo), /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.deepEqual(rest, {
    keyId: KeyId,
    expirationModel: 'KEY_MATERIAL_EXPIRES',
    keyMaterialDescription: 'the first',
  })
  const answered = { keyId: arnOf(KeyId), keyMaterialId: KeyMaterialId }
  assert.deepEqual([sent['responseElements'], sent['readOnly']], [answered, false])
  const taken = found('DeleteImportedKeyMaterial')
  assert.deepEqual(taken['requestParameters'], { keyId: KeyId, keyMaterialId: KeyMaterialId })
  assert.deepEqual(taken['responseElements'], answered)
  const all = JSON.stringify([records, server.logged])
  for (const secret of [A, by.token, by.publicKey]) {
    const base64 = Buffer.from(secret).toString('base64')
    assert(!all.includes(base64) && !all.includes(Buffer.from(secret).toString('hex')))
  }
})

test('bad tokens and bad material are refused in the words of AWS, and change nothing', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, parameters, send, state } = importing(kms)
  const [KeyId, other] = [await makeExternal(), await makeExternal()]
  const by = await parameters(KeyId)
  const foreign = await parameters(other)
  const changed = (bytes: Uint8Array): Buffer => {
    const copy = Buffer.from(bytes)
    copy[copy.length - 20] = (copy.at(-20) ?? 0) ^ 1
    return copy
  }
  const token = 'InvalidImportTokenException'
  await refused(send(KeyId, A, foreign), token)
  await refused(send(KeyId, A, { ...by, token: foreign.token }), token)
  await refused(send(KeyId, A, { ...by, token: changed(by.token) }), token)
  await refused(send(KeyId, A, { ...by, token: randomBytes(1) }), token)
  const ciphertext = 'InvalidCiphertextException'
  await refused(send(KeyId, A, { ...by, algorithm: 'RSAES_OAEP_SHA_1' }), ciphertext)
  await refused(send(KeyId, A, { ...by, publicKey: foreign.publicKey }), ciphertext)
  for (const bytes of [0, 1, 31, 33, 64]) {
    await refused(send(KeyId, randomBytes(bytes), by), ciphertext)
  }
  await refused(
    send(KeyId, A, { ...by, token: Buffer.alloc(6145) }),
    'ValidationException',
    "1 validation error detected: Value at 'importToken' failed to satisfy constraint: " +
      'Member must have length less than or equal to 6144',
  )
  assert.equal(await state(KeyId), 'PendingImport -')
  const { keyId, arn } = await makeKey(kms)
  const origin = `${arn} origin is AWS_KMS which is not valid for this operation.`
  await refused(parameters(keyId), 'UnsupportedOperationException', origin)
  await refused(send(keyId, A, by), 'UnsupportedOperationException', origin)
  await refused(importing(kms).take(keyId), 'UnsupportedOperationException', origin)
  await send(KeyId, A, by)
})

const der = { format: 'der', type: 'pkcs8' } as const

test('an imported HMAC key authenticates as its bytes do', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, parameters, send, take } = importing(kms)
  for (const [bits, bytes] of [
    [224, 28],
    [256, 64],
    [384, 48],
    [512, 128],
  ] as const) {
    const KeySpec = `HMAC_${bits}` as const
    const KeyId = await makeExternal({ KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' })
    const by = await parameters(KeyId, 'RSAES_OAEP_SHA_1')
    const material = randomBytes(bytes)
    assert.equal((await send(KeyId, material, by)).KeyMaterialId, undefined)
    const MacAlgorithm = `HMAC_SHA_${bits}` as const
    const { Mac } = await kms.send(
      new GenerateMacCommand({ KeyId, Message: Plaintext, MacAlgorithm }),
    )
    const expected = createHmac(`sha${bits}`, material).update(Plaintext).digest()
    assert.deepEqual(Buffer.from(Mac ?? []), expected)
    assert.equal(await take(KeyId), undefined)
    const gone = new GenerateMacCommand({ KeyId, Message: Plaintext, MacAlgorithm })
    await refused(kms.send(gone), invalidState, `${arnOf(KeyId)} is pending import.`)
    await assert.rejects(send(KeyId, randomBytes(bytes), by), {
      name: 'IncorrectKeyMaterialException',
    })
    await send(KeyId, material, by)
  }
})

async function importPair(
  kms: ReturnType<Awaited<ReturnType<typeof startTestServer>>['client']>,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
  material: Buffer,
): Promise<string> {
  const { makeExternal, parameters, send } = importing(kms)
  const KeyId = await makeExternal({ KeySpec, KeyUsage })
  await send(KeyId, material, await parameters(KeyId, 'RSA_AES_KEY_WRAP_SHA_256'))
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  const publicKey = createPublicKey(createPrivateKey({ key: material, ...der }))
  const expected = publicKey.export({ format: 'der', type: 'spki' })
  assert.deepEqual(Buffer.from(PublicKey ?? []), expected)
  return KeyId
}

test('imported pairs are the pairs that they were', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const kms = server.client()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsaId = await importPair(kms, 'RSA_2048', 'ENCRYPT_DECRYPT', rsa.privateKey.export(der))
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: rsaId, Plaintext, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
  )
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const key = { key: rsa.privateKey, padding, oaepHash: 'sha256' }
  assert.deepEqual(privateDecrypt(key, CiphertextBlob ?? Buffer.alloc(0)), Plaintext)

  for (const [KeySpec, SigningAlgorithm, pair] of [
    ['ECC_NIST_P256', 'ECDSA_SHA_256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', generateKeyPairSync('ed25519')],
  ] as const) {
    const KeyId = await importPair(kms, KeySpec, 'SIGN_VERIFY', pair.privateKey.export(der))
    const { Signature } = await kms.send(
      new SignCommand({ KeyId, Message: Plaintext, SigningAlgorithm }),
    )
    const hash = KeySpec === 'ECC_NIST_EDWARDS25519' ? null : 'sha256'
    assert(verify(hash, Plaintext, pair.publicKey, Signature ?? Buffer.alloc(0)))
  }

  const agreeing = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const peer = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const material = agreeing.privateKey.export(der)
  const KeyId = await importPair(kms, 'ECC_NIST_P521', 'KEY_AGREEMENT', material)
  const PublicKey = peer.publicKey.export({ format: 'der', type: 'spki' })
  const derived = await kms.send(
    new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
  )
  const expected = diffieHellman({ privateKey: agreeing.privateKey, publicKey: peer.publicKey })
  assert.deepEqual(Buffer.from(derived.SharedSecret ?? []), expected)
  assert.equal(derived.KeyOrigin, 'EXTERNAL')
})
