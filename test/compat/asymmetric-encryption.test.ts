/** Encrypt, Decrypt and ReEncrypt under RSA keys: crossings with other libraries, sizes, refusals. */
import assert from 'node:assert/strict'
import { constants, publicEncrypt, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  ReEncryptCommand,
  type DecryptCommandInput,
  type EncryptionAlgorithmSpec,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, publicKeyOf } from './asymmetric-keys.ts'
import { answerOf, fails, makeKey, refused, validationError } from './sdk.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

const specs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
const hashes = { RSAES_OAEP_SHA_1: 'sha1', RSAES_OAEP_SHA_256: 'sha256' } as const
const limits = {
  RSAES_OAEP_SHA_1: { RSA_2048: 214, RSA_3072: 342, RSA_4096: 470 },
  RSAES_OAEP_SHA_256: { RSA_2048: 190, RSA_3072: 318, RSA_4096: 446 },
} as const
const algorithms = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const noContext =
  'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.'

const encrypt = (
  KeyId: string,
  EncryptionAlgorithm: EncryptionAlgorithmSpec,
  Plaintext: Uint8Array,
) => kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext }))
const decrypt = (input: DecryptCommandInput) => kms.send(new DecryptCommand(input))

for (const spec of specs) {
  for (const algorithm of algorithms) {
    test(`${spec} ${algorithm}: what is encrypted here or offline decrypts here, up to the limit`, async () => {
      const { KeyId, arn } = await keyOf(spec, 'ENCRYPT_DECRYPT')
      const limit = limits[algorithm][spec]
      const publicKey = await publicKeyOf(kms, KeyId)
      for (const length of [1, 32, limit]) {
        const Plaintext = randomBytes(length)
        const { CiphertextBlob, ...rest } = await answerOf(encrypt(KeyId, algorithm, Plaintext))
        assert.deepEqual(rest, { KeyId: arn, EncryptionAlgorithm: algorithm })
        const ours = CiphertextBlob as Uint8Array
        assert.equal(ours.length, Number(spec.slice(4)) / 8)
        const padding = constants.RSA_PKCS1_OAEP_PADDING
        const oaepHash = hashes[algorithm]
        const theirs = publicEncrypt({ key: publicKey, padding, oaepHash }, Plaintext)
        for (const blob of [ours, theirs]) {
          const input = { KeyId, EncryptionAlgorithm: algorithm, CiphertextBlob: blob }
          const { Plaintext: opened, ...members } = await answerOf(decrypt(input))
          assert.deepEqual(Buffer.from(opened as Uint8Array), Plaintext)
          assert.deepEqual(members, { KeyId: arn, EncryptionAlgorithm: algorithm })
        }
      }
      await refused(
        encrypt(KeyId, algorithm, randomBytes(limit + 1)),
        'ValidationException',
        `Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${limit} bytes.`,
      )
    })
  }
}

test('whatever is wrong with an RSA ciphertext, it is InvalidCiphertextException without a word', async () => {
  const { KeyId } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const pool = keyPool(() => kms)
  const other = await pool('RSA_2048', 'ENCRYPT_DECRYPT')
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const { CiphertextBlob = new Uint8Array() } = await encrypt(
    KeyId,
    EncryptionAlgorithm,
    Buffer.from('text'),
  )
  const flipped = Uint8Array.from(CiphertextBlob, (byte, index) => (index === 9 ? byte ^ 1 : byte))
  const given = { KeyId, EncryptionAlgorithm, CiphertextBlob } as const
  const symmetric = await makeKey(kms)
  const { CiphertextBlob: sealed } = await kms.send(
    new EncryptCommand({ KeyId: symmetric.keyId, Plaintext: Buffer.from('text') }),
  )
  const { EncryptionAlgorithm: _, ...withoutAlgorithm } = given
  for (const input of [
    withoutAlgorithm,
    { ...given, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' as const },
    { ...given, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' as const },
    { ...given, EncryptionAlgorithm: 'SM2PKE' as const },
    { ...given, KeyId: other.KeyId },
    { ...given, CiphertextBlob: flipped },
    { ...given, CiphertextBlob: CiphertextBlob.subarray(1) },
    { ...given, CiphertextBlob: CiphertextBlob.subarray(0, 255) },
    { ...given, CiphertextBlob: Buffer.concat([CiphertextBlob, Buffer.of(0)]) },
    { ...given, CiphertextBlob: Buffer.concat([Buffer.of(0), CiphertextBlob]) },
    { ...given, CiphertextBlob: Buffer.alloc(256) },
    { ...given, CiphertextBlob: Buffer.alloc(256, 0xff) },
    { ...given, CiphertextBlob: Buffer.of(1) },
    { ...given, CiphertextBlob: Buffer.alloc(6144, 1) },
    { ...given, CiphertextBlob: sealed },
    { ...withoutAlgorithm, CiphertextBlob: sealed },
    { ...given, CiphertextBlob: flipped, DryRun: true },
  ]) {
    await refused(decrypt(input), 'InvalidCiphertextException')
  }
  await refused(
    decrypt({ ...given, CiphertextBlob: Buffer.alloc(6145) }),
    'ValidationException',
    validationError(fails('', 'ciphertextBlob', 'have length less than or equal to 6144')),
  )
  assert.equal(Buffer.from((await decrypt(given)).Plaintext ?? []).toString(), 'text')
})

test('an encryption context is refused for RSA keys, and an empty one is none', async () => {
  const { KeyId } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_1'
  const Plaintext = Buffer.from('text')
  const given = { KeyId, EncryptionAlgorithm, Plaintext } as const
  const EncryptionContext = { purpose: 'test' }
  const refusedContext = kms.send(new EncryptCommand({ ...given, EncryptionContext }))
  await refused(refusedContext, 'ValidationException', noContext)
  const empty = await kms.send(new EncryptCommand({ ...given, EncryptionContext: {} }))
  const sealed = { KeyId, EncryptionAlgorithm, CiphertextBlob: empty.CiphertextBlob } as const
  await refused(decrypt({ ...sealed, EncryptionContext }), 'ValidationException', noContext)
  assert.deepEqual(
    (await decrypt({ ...sealed, EncryptionContext: {} })).Plaintext,
    new Uint8Array(Plaintext),
  )
})

test('an RSA ciphertext names no key: the call must', async () => {
  const { KeyId } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const { CiphertextBlob } = await encrypt(KeyId, EncryptionAlgorithm, Buffer.of(1))
  const without = decrypt({ EncryptionAlgorithm, CiphertextBlob })
  await refused(without, 'ValidationException', 'KeyId must not be null')
  await refused(decrypt({ CiphertextBlob }), 'InvalidCiphertextException')
  const reEncrypted = kms.send(
    new ReEncryptCommand({
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
      CiphertextBlob,
      DestinationKeyId: KeyId,
    }),
  )
  await refused(reEncrypted, 'ValidationException', 'SourceKeyId must not be null')
})

test('ReEncrypt goes from a symmetric key to an RSA key and back, and shows material of the one', async () => {
  const symmetric = await makeKey(kms)
  const pair = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const Plaintext = randomBytes(190)
  const context = { side: 'symmetric' }
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: symmetric.keyId, Plaintext, EncryptionContext: context }),
  )
  const algorithm = 'RSAES_OAEP_SHA_256'
  const { CiphertextBlob: bare, ...out } = await answerOf(
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: context,
        DestinationKeyId: pair.KeyId,
        DestinationEncryptionAlgorithm: algorithm,
      }),
    ),
  )
  assert.deepEqual(out, {
    SourceKeyId: symmetric.arn,
    KeyId: pair.arn,
    SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationEncryptionAlgorithm: algorithm,
    SourceKeyMaterialId: symmetric.materialId,
  })
  assert.equal((bare as Uint8Array).length, 256)
  const { CiphertextBlob: sealed, ...back } = await answerOf(
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob: bare as Uint8Array,
        SourceKeyId: pair.KeyId,
        SourceEncryptionAlgorithm: algorithm,
        DestinationKeyId: symmetric.keyId,
        DestinationEncryptionContext: context,
      }),
    ),
  )
  assert.deepEqual(back, {
    SourceKeyId: pair.arn,
    KeyId: symmetric.arn,
    SourceEncryptionAlgorithm: algorithm,
    DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationKeyMaterialId: symmetric.materialId,
  })
  const opened = await decrypt({
    CiphertextBlob: sealed as Uint8Array,
    EncryptionContext: context,
  })
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
})

test('an RSA ciphertext that holds no bytes opens, goes under RSA keys, and under no symmetric one', async () => {
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const [symmetric, pair] = [await makeKey(kms), await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')]
  const { KeyId } = pair
  // Encrypt seals none, so that it must be made offline.
  const key = await publicKeyOf(kms, KeyId)
  const CiphertextBlob = publicEncrypt({ key, oaepHash: 'sha256' }, Buffer.alloc(0))
  const opened = await decrypt({ KeyId, CiphertextBlob, EncryptionAlgorithm })
  assert.deepEqual(opened.Plaintext, new Uint8Array(0))
  const from = { SourceKeyId: KeyId, SourceEncryptionAlgorithm: EncryptionAlgorithm } as const
  const move = (to: object, DestinationKeyId: string) =>
    kms.send(new ReEncryptCommand({ ...from, CiphertextBlob, DestinationKeyId, ...to }))
  const moved = await move({ DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }, KeyId)
  assert.equal(moved.CiphertextBlob?.length, 256)
  const message = 'a symmetric key seals no empty plaintext'
  for (const DryRun of [false, true]) {
    await refused(move({ DryRun }, symmetric.keyId), 'ValidationException', message)
  }
})

test('ReEncrypt to an RSA key refuses what does not fit, a context, and an algorithm of the other kind', async () => {
  const symmetric = await makeKey(kms)
  const { KeyId } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: symmetric.keyId, Plaintext: Buffer.alloc(191) }),
  )
  const given = { CiphertextBlob, DestinationKeyId: KeyId }
  const DestinationEncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const call = (more: object) => kms.send(new ReEncryptCommand({ ...given, ...more }))
  await refused(
    call({ DestinationEncryptionAlgorithm }),
    'ValidationException',
    'Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.',
  )
  await refused(
    call({ DestinationEncryptionAlgorithm, DestinationEncryptionContext: { a: 'b' } }),
    'ValidationException',
    noContext,
  )
  await refused(
    call({}),
    'InvalidKeyUsageException',
    'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
  )
})
