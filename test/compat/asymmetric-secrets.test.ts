/** GenerateMac, VerifyMac, DeriveSharedSecret, Encapsulate and Decapsulate through the official SDK. */
import assert from 'node:assert/strict'
import {
  createHmac,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  DecapsulateCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  GenerateDataKeyPairCommand,
  GenerateMacCommand,
  VerifyMacCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, newKey, publicKeyOf } from './asymmetric-keys.ts'
import { answerOf, fails, makeKey, refused, validationError } from './sdk.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

const spki = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })

const macs = [
  ['HMAC_224', 'HMAC_SHA_224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 64],
] as const

for (const [spec, MacAlgorithm, length] of macs) {
  test(`${spec}: a MAC is the message's, whole, and no other`, async () => {
    const { KeyId, arn } = await keyOf(spec, 'GENERATE_VERIFY_MAC')
    const verify = (Message: Uint8Array, Mac: Uint8Array) =>
      kms.send(new VerifyMacCommand({ KeyId, MacAlgorithm, Message, Mac }))
    for (const Message of [Buffer.of(1), randomBytes(4096)]) {
      const input = { KeyId, Message, MacAlgorithm }
      const made = await answerOf(kms.send(new GenerateMacCommand(input)))
      const again = await answerOf(kms.send(new GenerateMacCommand(input)))
      assert.deepEqual(made, again)
      const mac = Buffer.from(made['Mac'] as Uint8Array)
      assert.deepEqual({ ...made, Mac: mac.length }, { Mac: length, MacAlgorithm, KeyId: arn })
      assert.deepEqual(await answerOf(verify(Message, mac)), {
        KeyId: arn,
        MacValid: true,
        MacAlgorithm,
      })
      for (const wrong of [
        mac.subarray(0, -1),
        mac.subarray(0, 1),
        Buffer.concat([mac, Buffer.of(0)]),
        Buffer.from(mac.map((byte, index) => (index === length - 1 ? byte ^ 0x80 : byte))),
        Buffer.alloc(6144),
        createHmac('sha256', 'another key').update(Message).digest(),
      ]) {
        await refused(verify(Message, wrong), 'KMSInvalidMacException')
      }
      await refused(
        verify(Buffer.concat([Message.subarray(1), Buffer.of(2)]), mac),
        'KMSInvalidMacException',
      )
    }
    const long = kms.send(
      new GenerateMacCommand({ KeyId, MacAlgorithm, Message: Buffer.alloc(4097) }),
    )
    const tooLong = fails('', 'message', 'have length less than or equal to 4096')
    await refused(long, 'ValidationException', validationError(tooLong))
    const empty = kms.send(
      new GenerateMacCommand({ KeyId, MacAlgorithm, Message: Buffer.alloc(0) }),
    )
    const tooShort = fails('', 'message', 'have length greater than or equal to 1')
    await refused(empty, 'ValidationException', validationError(tooShort))
    const huge = verify(Buffer.of(1), Buffer.alloc(6145))
    const hugeMac = fails('', 'mac', 'have length less than or equal to 6144')
    await refused(huge, 'ValidationException', validationError(hugeMac))
  })
}

const curves = [
  ['ECC_NIST_P256', 'prime256v1', 32],
  ['ECC_NIST_P384', 'secp384r1', 48],
  ['ECC_NIST_P521', 'secp521r1', 66],
] as const

const derive = (KeyId: string, PublicKey: Uint8Array, more: object = {}) =>
  kms.send(
    new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey, ...more }),
  )

for (const [spec, namedCurve, length] of curves) {
  test(`${spec}: both sides derive the same secret, as wide as the field`, async () => {
    const { KeyId, arn } = await keyOf(spec, 'KEY_AGREEMENT')
    const peer = generateKeyPairSync('ec', { namedCurve })
    const { SharedSecret, ...rest } = await answerOf(derive(KeyId, spki(peer.publicKey)))
    assert.deepEqual(rest, {
      KeyId: arn,
      KeyAgreementAlgorithm: 'ECDH',
      KeyOrigin: 'AWS_KMS',
    })
    const publicKey = await publicKeyOf(kms, KeyId)
    const theirs = diffieHellman({ privateKey: peer.privateKey, publicKey })
    assert.deepEqual(Buffer.from(SharedSecret as Uint8Array), theirs)
    assert.equal(theirs.length, length)
    const other = await newKey(kms, spec, 'KEY_AGREEMENT')
    const [one, two] = [
      await derive(KeyId, spki(await publicKeyOf(kms, other.KeyId))),
      await derive(other.KeyId, spki(publicKey)),
    ]
    assert.deepEqual(one.SharedSecret, two.SharedSecret)
  })
}

test('a peer that is no point of the key’s own curve is a ValidationException without a word', async () => {
  for (const [spec, namedCurve] of curves) {
    const { KeyId } = await keyOf(spec, 'KEY_AGREEMENT')
    const good = spki(generateKeyPairSync('ec', { namedCurve }).publicKey)
    const offCurve = Buffer.from(good)
    offCurve.writeUInt8(offCurve.readUInt8(good.length - 1) ^ 1, good.length - 1)
    const others = curves.filter(([each]) => each !== spec).map(([, name]) => name)
    const peers: readonly Uint8Array[] = [
      offCurve,
      good.subarray(0, -1),
      good.subarray(1),
      Buffer.concat([good, Buffer.of(0)]),
      Buffer.alloc(good.length),
      Buffer.alloc(8192, 0x30),
      Buffer.of(0x30),
      ...others.map((name) => spki(generateKeyPairSync('ec', { namedCurve: name }).publicKey)),
      spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
      spki(generateKeyPairSync('x25519').publicKey),
      spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      spki(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
      hugeRsa(8000),
      explicitCurve(),
    ]
    for (const peer of peers) {
      await refused(derive(KeyId, peer), 'ValidationException')
      await refused(derive(KeyId, peer, { DryRun: true }), 'ValidationException')
    }
    await refused(
      derive(KeyId, Buffer.alloc(8193)),
      'ValidationException',
      validationError(fails('', 'publicKey', 'have length less than or equal to 8192')),
    )
    await refused(
      derive(KeyId, good, { DryRun: true }),
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    )
  }
})

/** An RSA public key of `bytes` bytes of modulus: 64000 bits, which no check should ever compute with. */
function hugeRsa(bytes: number): Buffer {
  const n = Buffer.alloc(bytes, 0xff).toString('base64url')
  return spki(createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' }))
}

function explicitCurve(): Buffer {
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    paramEncoding: 'explicit',
  })
  return spki(publicKey)
}

const kems = [
  ['ML_KEM_512', 768],
  ['ML_KEM_768', 1088],
  ['ML_KEM_1024', 1568],
] as const

for (const [spec, length] of kems) {
  test(`${spec}: what is encapsulated here or offline is found here; anything else of its length is another secret`, async () => {
    const { KeyId, arn } = await keyOf(spec, 'ENCAPSULATE_DECAPSULATE')
    const EncapsulationAlgorithm = 'ML_KEM'
    const open = (SharedSecretCiphertextBlob: Uint8Array, more: object = {}) =>
      kms.send(
        new DecapsulateCommand({
          KeyId,
          EncapsulationAlgorithm,
          SharedSecretCiphertextBlob,
          ...more,
        }),
      )
    const made = await answerOf(kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm })))
    const { SharedSecret, SharedSecretCiphertextBlob, ...rest } = made
    assert.deepEqual(rest, { KeyId: arn, EncapsulationAlgorithm })
    const sealed = Buffer.from(SharedSecretCiphertextBlob as Uint8Array)
    assert.deepEqual([sealed.length, (SharedSecret as Uint8Array).length], [length, 32])
    assert.deepEqual(await answerOf(open(sealed)), {
      KeyId: arn,
      SharedSecret,
      EncapsulationAlgorithm,
    })
    const theirs = encapsulate(await publicKeyOf(kms, KeyId))
    const found = await open(theirs.ciphertext)
    assert.deepEqual(Buffer.from(found.SharedSecret ?? []), theirs.sharedKey)
    const flipped = Buffer.from(sealed)
    flipped.writeUInt8(flipped.readUInt8(7) ^ 4, 7)
    const rejected = [await open(flipped), await open(flipped)]
    assert.equal(rejected[0]?.SharedSecret?.length, 32)
    assert.deepEqual(rejected[0]?.SharedSecret, rejected[1]?.SharedSecret)
    assert.notDeepEqual(rejected[0]?.SharedSecret, SharedSecret)
    for (const wrong of [sealed.subarray(1), Buffer.concat([sealed, Buffer.of(0)]), Buffer.of(1)]) {
      await refused(open(wrong), 'InvalidCiphertextException')
      await refused(open(wrong, { DryRun: true }), 'InvalidCiphertextException')
    }
    const message = 'The request would have succeeded, but the DryRun option is set.'
    await refused(open(sealed, { DryRun: true }), 'DryRunOperationException', message)
  })
}

test('a data key pair of ML-KEM opens what is encapsulated to it', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const { PublicKey, PrivateKeyPlaintext } = await kms.send(
    new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ML_KEM_768' }),
  )
  const der = { format: 'der' as const }
  const publicKey = { key: Buffer.from(PublicKey ?? []), ...der, type: 'spki' as const }
  const privateKey = { key: Buffer.from(PrivateKeyPlaintext ?? []), ...der, type: 'pkcs8' as const }
  const { sharedKey, ciphertext } = encapsulate(publicKey)
  assert.deepEqual(decapsulate(privateKey, ciphertext), sharedKey)
})
