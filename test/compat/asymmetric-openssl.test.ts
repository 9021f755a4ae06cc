/** OpenSSL's command line against the API: it gets what anyone gets, and no key of ours. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  DataKeyPairSpec,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GetPublicKeyCommand,
  SignCommand,
  VerifyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { findOpenSsl, present } from '../crypto/algorithms/peers.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, signings, type Signing } from './asymmetric-keys.ts'
import { makeKey, refused } from './sdk.ts'

const found = findOpenSsl()
let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

const words = (text: string): readonly string[] => text.split(' ')
const options = (...given: readonly string[]): readonly string[] =>
  given.flatMap((option) => ['-pkeyopt', option])
const bytes = (given: Uint8Array | undefined): Buffer => Buffer.from(given ?? [])

async function publicKeyOf(KeyId: string): Promise<Buffer> {
  return bytes((await kms.send(new GetPublicKeyCommand({ KeyId }))).PublicKey)
}

function paddingOf({ algorithm, hash = 'sha256' }: Signing): readonly string[] {
  const pss = algorithm.includes('PSS')
  const padding = pss ? ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest'] : []
  return options(`digest:${hash}`, ...padding)
}

const hashed = signings.filter(({ types, hash }) => types.includes('RAW') && hash !== undefined)

for (const signing of hashed) {
  const { spec, algorithm, hash = '' } = signing
  test(
    `OpenSSL verifies ${spec} ${algorithm}, and Verify what its own key pair signs`,
    found,
    async () => {
      const run = present(found)
      const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
      const message = randomBytes(200)
      const digest = createHash(hash).update(message).digest()
      const key = await publicKeyOf(KeyId)
      for (const [MessageType, Message] of [
        ['RAW', message],
        ['DIGEST', digest],
      ] as const) {
        const input = { KeyId, MessageType, Message, SigningAlgorithm: algorithm }
        const signature = bytes((await kms.send(new SignCommand(input))).Signature)
        const verify = (given: Buffer): string =>
          run(
            { key, digest, signature: given },
            ...words(
              'pkeyutl -verify -pubin -keyform DER -inkey key -in digest -sigfile signature',
            ),
            ...paddingOf(signing),
          ).toString()
        assert.match(verify(signature), /Verified Successfully/)
        const changed = Buffer.from(signature)
        changed.writeUInt8(changed.readUInt8(signature.length - 1) ^ 1, signature.length - 1)
        assert.throws(() => verify(changed))
        // Nobody else has the private key: what OpenSSL signs with one of its own is refused.
        const other = run(
          { key: ownPrivateKey(spec), digest },
          ...words('pkeyutl -sign -inkey key -in digest'),
          ...paddingOf(signing),
        )
        await refused(
          kms.send(new VerifyCommand({ ...input, Signature: other })),
          'KMSInvalidSignatureException',
        )
      }
    },
  )
}

const ownKeys = new Map<string, Buffer>()

/** A private key that OpenSSL makes, PEM: one a spec. */
function ownPrivateKey(spec: string): Buffer {
  const known = ownKeys.get(spec) ?? generatePrivateKey(spec)
  ownKeys.set(spec, known)
  return known
}

function generatePrivateKey(spec: string): Buffer {
  const curves: Readonly<Record<string, string>> = {
    ECC_NIST_P256: 'P-256',
    ECC_NIST_P384: 'P-384',
    ECC_NIST_P521: 'P-521',
    ECC_SECG_P256K1: 'secp256k1',
  }
  const curve = curves[spec]
  const kind =
    curve === undefined
      ? ['-algorithm', 'RSA', ...options(`rsa_keygen_bits:${spec.slice(4)}`)]
      : ['-algorithm', 'EC', ...options(`ec_paramgen_curve:${curve}`)]
  return present(found)({}, 'genpkey', ...kind)
}

for (const spec of ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const) {
  test(`Decrypt opens what OpenSSL encrypts under ${spec}`, found, async () => {
    const run = present(found)
    const { KeyId } = await keyOf(spec, 'ENCRYPT_DECRYPT')
    const key = await publicKeyOf(KeyId)
    const plaintext = randomBytes(190)
    for (const [EncryptionAlgorithm, hash] of [
      ['RSAES_OAEP_SHA_1', 'sha1'],
      ['RSAES_OAEP_SHA_256', 'sha256'],
    ] as const) {
      const padding = ['rsa_padding_mode:oaep', `rsa_oaep_md:${hash}`, `rsa_mgf1_md:${hash}`]
      const CiphertextBlob = run(
        { key, plaintext },
        ...words('pkeyutl -encrypt -pubin -keyform DER -inkey key -in plaintext'),
        ...options(...padding),
      )
      const input = { KeyId, EncryptionAlgorithm, CiphertextBlob }
      const opened = await kms.send(new DecryptCommand(input))
      assert.deepEqual(bytes(opened.Plaintext), plaintext)
    }
  })
}

test(
  'OpenSSL opens our data key pairs, and what is done with one half the other undoes',
  found,
  async () => {
    const run = present(found)
    const { keyId: KeyId } = await makeKey(kms)
    // OpenSSL knows ML-KEM from 3.5 on; other tests cross those pairs with node:crypto.
    const specs = Object.values(DataKeyPairSpec).filter((spec) => !/SM2|ML_KEM/.test(spec))
    for (const KeyPairSpec of specs) {
      const pair = await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec }))
      const key = bytes(pair.PrivateKeyPlaintext)
      const derived = run({ key }, ...words('pkey -inform DER -in key -pubout -outform DER'))
      assert.deepEqual(derived, bytes(pair.PublicKey), KeyPairSpec)
      run({ key }, ...words('pkey -inform DER -in key -noout -check'))
    }
  },
)

test(
  'what Encrypt makes under a public key, OpenSSL makes no sense of without the private one',
  found,
  async () => {
    const run = present(found)
    const { KeyId } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
    const Plaintext = randomBytes(32)
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext }),
    )
    const files = { key: ownPrivateKey('RSA_2048'), ciphertext: bytes(CiphertextBlob) }
    const decrypt = words('pkeyutl -decrypt -inkey key -in ciphertext')
    const padding = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256']
    assert.throws(() => run(files, ...decrypt, ...options(...padding)))
  },
)

test('OpenSSL derives the secret that DeriveSharedSecret does', found, async () => {
  const run = present(found)
  for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const) {
    const { KeyId } = await keyOf(spec, 'KEY_AGREEMENT')
    const key = ownPrivateKey(spec)
    const PublicKey = run({ key }, ...words('pkey -in key -pubout -outform DER'))
    const { SharedSecret } = await kms.send(
      new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
    )
    const theirs = run(
      { key, peer: await publicKeyOf(KeyId) },
      ...words('pkeyutl -derive -inkey key -peerform DER -peerkey peer'),
    )
    assert.deepEqual(bytes(SharedSecret), theirs, spec)
  }
})
