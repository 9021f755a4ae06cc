/** GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext through the official SDK. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DataKeyPairSpec,
  DecryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool } from './asymmetric-keys.ts'
import { answerOf, makeKey, refused, type MadeKey } from './sdk.ts'

let server: TestServer
let kms: KMSClient
let key: MadeKey
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
  key = await makeKey(kms)
})
after(() => server.stop())

const specs = Object.values(DataKeyPairSpec).filter((spec) => spec !== 'SM2')
const EncryptionContext = { purpose: 'pairs' }
const publicKeyFrom = (privateKey: Uint8Array): Buffer => {
  const opened = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  return createPublicKey(opened).export({ format: 'der', type: 'spki' })
}

for (const KeyPairSpec of specs) {
  test(`${KeyPairSpec}: a new pair each time, whose private half Decrypt opens`, async () => {
    const input = { KeyId: key.keyId, KeyPairSpec, EncryptionContext }
    const whole = await answerOf(kms.send(new GenerateDataKeyPairCommand(input)))
    const { PrivateKeyCiphertextBlob, PrivateKeyPlaintext, PublicKey, ...rest } = whole
    const expected = { KeyId: key.arn, KeyPairSpec, KeyMaterialId: key.materialId }
    assert.deepEqual(rest, expected)
    const plaintext = PrivateKeyPlaintext as Uint8Array
    const publicKey = Buffer.from(PublicKey as Uint8Array)
    assert.deepEqual(publicKeyFrom(plaintext), publicKey)
    const CiphertextBlob = PrivateKeyCiphertextBlob as Uint8Array
    assert.match(Buffer.from(CiphertextBlob).toString('base64'), /^AQIDAH/)
    const overhead = CiphertextBlob.length - plaintext.length
    assert(overhead >= 152 && overhead <= 162, `${overhead} bytes beside the plaintext`)
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.deepEqual(opened.Plaintext, plaintext)
    await refused(kms.send(new DecryptCommand({ CiphertextBlob })), 'InvalidCiphertextException')

    const sealed = await answerOf(kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(input)))
    const { PrivateKeyCiphertextBlob: blob, PublicKey: other, ...members } = sealed
    assert.deepEqual(members, expected)
    assert.notDeepEqual(Buffer.from(other as Uint8Array), publicKey)
    const { Plaintext } = await kms.send(
      new DecryptCommand({ CiphertextBlob: blob as Uint8Array, EncryptionContext }),
    )
    assert.deepEqual(publicKeyFrom(Plaintext ?? new Uint8Array()), Buffer.from(other as Uint8Array))
  })
}

test('pairs have the sizes that are seen at AWS', async () => {
  for (const [KeyPairSpec, plain, sealed] of [
    ['ECC_SECG_P256K1', 144, 301],
    ['ECC_NIST_EDWARDS25519', 48, 201],
  ] as const) {
    const made = await kms.send(new GenerateDataKeyPairCommand({ KeyId: key.keyId, KeyPairSpec }))
    assert.deepEqual(
      [made.PrivateKeyPlaintext?.length, made.PrivateKeyCiphertextBlob?.length],
      [plain, sealed],
    )
  }
})

for (const Command of [
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
] as const) {
  const { name } = Command
  const operation = name.slice(0, -'Command'.length)
  const send = (input: { KeyId: string; KeyPairSpec: DataKeyPairSpec; DryRun?: boolean }) =>
    kms.send(new Command(input))

  test(`${operation} is for symmetric keys that encrypt`, async () => {
    const rsa = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
    await refused(
      send({ KeyId: rsa.KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
      'InvalidKeyUsageException',
      'You cannot generate a data key pair with an asymmetric CMK',
    )
    const signer = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
    await refused(
      send({ KeyId: signer.KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
      'InvalidKeyUsageException',
      `${signer.arn} key usage is SIGN_VERIFY which is not valid for ${operation}.`,
    )
  })

  test(`${operation} makes no SM2 pair, and gives none away in a dry run`, async () => {
    await refused(
      send({ KeyId: key.keyId, KeyPairSpec: 'SM2' }),
      'UnsupportedOperationException',
      'KeyPairSpec SM2 is not supported in this Region',
    )
    await refused(
      send({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256', DryRun: true }),
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    )
  })
}

test('more RSA pairs at once than may wait are refused with ThrottlingException, and the rest are made', async () => {
  // A client opens 50 connections.
  const clients = [kms, server.client(), server.client()]
  const input = { KeyId: key.keyId, KeyPairSpec: 'RSA_2048' } as const
  const calls = Array.from({ length: 120 }, (_, index) => {
    const client = clients[index % clients.length] ?? kms
    return client.send(new GenerateDataKeyPairCommand(input)).then(
      () => 'made',
      (error: unknown) => (error instanceof Error ? error.name : 'no error'),
    )
  })
  const outcomes = await Promise.all(calls)
  assert.deepEqual([...new Set(outcomes)].toSorted(), ['ThrottlingException', 'made'])
  assert(outcomes.filter((outcome) => outcome === 'made').length >= 64)
})

test('a pair and a key that take a millisecond do not wait for those that take a second', async () => {
  const leaving = new AbortController()
  let waiting = 20
  const primes = Array.from({ length: waiting }, () =>
    kms
      .send(new GenerateDataKeyPairCommand({ KeyId: key.keyId, KeyPairSpec: 'RSA_4096' }), {
        abortSignal: leaving.signal,
      })
      .catch(() => undefined)
      .finally(() => (waiting -= 1)),
  )
  await setTimeout(100)
  const quick = { KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256' } as const
  await kms.send(new GenerateDataKeyPairCommand(quick))
  await kms.send(new CreateKeyCommand({ KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' }))
  assert(waiting > 0, 'the primes are not all found')
  leaving.abort()
  await Promise.all(primes)
})

test('callers who hang up lose their places in the queue, and are no failure of the server', async () => {
  const leaving = new AbortController()
  const options = { abortSignal: leaving.signal }
  const input = { KeyId: key.keyId, KeyPairSpec: 'RSA_4096' } as const
  const calls = Array.from({ length: 20 }, () =>
    kms.send(new GenerateDataKeyPairCommand(input), options).then(
      () => 'made',
      (error: unknown) => (error instanceof Error ? error.name : 'no error'),
    ),
  )
  const quick = kms.send(
    new GenerateDataKeyPairCommand({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256' }),
  )
  await setTimeout(100)
  leaving.abort()
  const outcomes = await Promise.all(calls)
  assert(outcomes.includes('AbortError'))
  await quick
  const said = (text: string): boolean => server.logged.some((line) => line.includes(text))
  for (let waited = 0; !said('the caller hung up') && waited < 10_000; waited += 50) {
    await setTimeout(50)
  }
  assert(said('the caller hung up'))
  assert(!said('request failed'))
})
