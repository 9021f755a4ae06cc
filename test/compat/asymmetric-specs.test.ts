/** CreateKey of every spec and usage, and what DescribeKey and GetPublicKey then say of the key. */
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GetPublicKeyCommand,
  KeySpec,
  KeyUsageType,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer, type TestServer } from '../harness.ts'
import { newKey } from './asymmetric-keys.ts'
import { answerOf, refused } from './sdk.ts'

let server: TestServer
let kms: KMSClient

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

const rsaSigning = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
]
const oaep = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']

type Made = readonly [KeySpec, KeyUsageType, string, readonly string[], publicBytes?: number]

/** Every key that AWS makes, the list in its metadata, and the bytes of its public key. */
const made: readonly Made[] = [
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', ['SYMMETRIC_DEFAULT']],
  ['RSA_2048', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', oaep, 294],
  ['RSA_3072', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', oaep, 422],
  ['RSA_4096', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', oaep, 550],
  ['RSA_2048', 'SIGN_VERIFY', 'SigningAlgorithms', rsaSigning, 294],
  ['RSA_3072', 'SIGN_VERIFY', 'SigningAlgorithms', rsaSigning, 422],
  ['RSA_4096', 'SIGN_VERIFY', 'SigningAlgorithms', rsaSigning, 550],
  ['ECC_NIST_P256', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256'], 91],
  ['ECC_NIST_P384', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_384'], 120],
  ['ECC_NIST_P521', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_512'], 158],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH'], 91],
  ['ECC_NIST_P384', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH'], 120],
  ['ECC_NIST_P521', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH'], 158],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256'], 88],
  [
    'ECC_NIST_EDWARDS25519',
    'SIGN_VERIFY',
    'SigningAlgorithms',
    ['ED25519_PH_SHA_512', 'ED25519_SHA_512'],
    44,
  ],
  ['ML_DSA_44', 'SIGN_VERIFY', 'SigningAlgorithms', ['ML_DSA_SHAKE_256'], 1334],
  ['ML_DSA_65', 'SIGN_VERIFY', 'SigningAlgorithms', ['ML_DSA_SHAKE_256'], 1974],
  ['ML_DSA_87', 'SIGN_VERIFY', 'SigningAlgorithms', ['ML_DSA_SHAKE_256'], 2614],
  ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', 'EncapsulationAlgorithms', ['ML_KEM'], 822],
  ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE', 'EncapsulationAlgorithms', ['ML_KEM'], 1206],
  ['ML_KEM_1024', 'ENCAPSULATE_DECAPSULATE', 'EncapsulationAlgorithms', ['ML_KEM'], 1590],
  ['HMAC_224', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_224']],
  ['HMAC_256', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_256']],
  ['HMAC_384', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_384']],
  ['HMAC_512', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_512']],
]

for (const [spec, usage, member, algorithms, publicBytes] of made) {
  test(`${spec} for ${usage} is made, described, and shows its public key`, async () => {
    const input = { KeySpec: spec, KeyUsage: usage }
    const { KeyMetadata } = await answerOf(kms.send(new CreateKeyCommand(input)))
    const metadata = KeyMetadata as Record<string, unknown>
    const { KeyId, CreationDate, CurrentKeyMaterialId, ...rest } = metadata
    const Arn = `arn:aws:kms:${region}:${accountId}:key/${String(KeyId)}`
    assert(CreationDate instanceof Date)
    assert.equal(CurrentKeyMaterialId !== undefined, spec === 'SYMMETRIC_DEFAULT')
    assert.deepEqual(rest, {
      AWSAccountId: accountId,
      Arn,
      Enabled: true,
      Description: '',
      KeyUsage: usage,
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: spec,
      KeySpec: spec,
      [member]: algorithms,
      MultiRegion: false,
    })
    const described = await kms.send(new DescribeKeyCommand({ KeyId: Arn }))
    assert.deepEqual(described.KeyMetadata, KeyMetadata)
    const asked = kms.send(new GetPublicKeyCommand({ KeyId: Arn }))
    if (publicBytes === undefined) return refused(asked, 'UnsupportedOperationException')
    const { PublicKey, ...answer } = await answerOf(asked)
    assert.deepEqual(answer, {
      KeyId: Arn,
      CustomerMasterKeySpec: spec,
      KeySpec: spec,
      KeyUsage: usage,
      [member]: algorithms,
    })
    const der = Buffer.from(PublicKey as Uint8Array)
    assert.equal(der.length, publicBytes)
    createPublicKey({ key: der, format: 'der', type: 'spki' })
  })
}

test('every other usage of a spec is refused, and so is no usage at all', async () => {
  for (const spec of Object.values(KeySpec).filter((each) => each !== 'SM2')) {
    for (const usage of Object.values(KeyUsageType)) {
      if (made.some((row) => row[0] === spec && row[1] === usage)) continue
      const call = kms.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: usage }))
      const message = `KeyUsage ${usage} is not compatible with KeySpec ${spec}`
      await refused(call, 'ValidationException', message)
    }
    if (spec === 'SYMMETRIC_DEFAULT') continue
    await refused(
      kms.send(new CreateKeyCommand({ KeySpec: spec })),
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
})

test('SM2 is refused whatever its usage', async () => {
  for (const usage of ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'] as const) {
    const call = kms.send(new CreateKeyCommand({ KeySpec: 'SM2', KeyUsage: usage }))
    const message = 'KeySpec SM2 is not supported in this Region'
    await refused(call, 'UnsupportedOperationException', message)
  }
})

test('GetPublicKey works on a disabled key, and on one that is going asks its state first', async () => {
  const key = await newKey(kms, 'ECC_NIST_P256', 'SIGN_VERIFY')
  const { KeyId } = key
  const shown = await kms.send(new GetPublicKeyCommand({ KeyId }))
  await kms.send(new DisableKeyCommand({ KeyId }))
  const disabled = await kms.send(new GetPublicKeyCommand({ KeyId }))
  assert.deepEqual(disabled.PublicKey, shown.PublicKey)
  const mac = await newKey(kms, 'HMAC_256', 'GENERATE_VERIFY_MAC')
  for (const dying of [key, mac]) {
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying.KeyId }))
    const call = kms.send(new GetPublicKeyCommand({ KeyId: dying.KeyId }))
    await refused(call, 'KMSInvalidStateException', `${dying.arn} is pending deletion.`)
  }
})

test('no two keys share a public key, and a restart keeps it', async () => {
  const own = await startTestServer()
  const client = own.client()
  const keys = [
    await newKey(client, 'ECC_NIST_P384', 'SIGN_VERIFY'),
    await newKey(client, 'ECC_NIST_P384', 'SIGN_VERIFY'),
  ]
  const publicKeys = async (from: KMSClient): Promise<string[]> =>
    Promise.all(
      keys.map(async ({ KeyId }) => {
        const { PublicKey } = await from.send(new GetPublicKeyCommand({ KeyId }))
        return Buffer.from(PublicKey ?? []).toString('hex')
      }),
    )
  const first = await publicKeys(client)
  assert.equal(new Set(first).size, 2)
  await own.stop('keep')
  const again = await startTestServer({}, { directory: own.directory })
  assert.deepEqual(await publicKeys(again.client()), first)
  await again.stop()
})
