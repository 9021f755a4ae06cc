/** Dry runs of the operations of key pairs and HMAC keys, and dry runs that ignore their ciphertext. */
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateMacCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool } from './asymmetric-keys.ts'
import { fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

let server: TestServer
let kms: KMSClient
let one: MadeKey
let other: MadeKey
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
  one = await makeKey(kms)
  other = await makeKey(kms)
})
after(() => server.stop())

const wouldHave = 'The request would have succeeded, but the DryRun option is set.'
const Message = Buffer.from('message')
const ecdsa = { Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const
const hmac = { Message, MacAlgorithm: 'HMAC_SHA_256' } as const
const ecdh = { KeyAgreementAlgorithm: 'ECDH' } as const
const kem = { EncapsulationAlgorithm: 'ML_KEM' } as const
const oaep = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const

test('each of the operations says in a dry run that it would have succeeded', async () => {
  const { KeyId: signer } = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
  const { KeyId: mac } = await keyOf('HMAC_256', 'GENERATE_VERIFY_MAC')
  const { KeyId: agreement } = await keyOf('ECC_NIST_P256', 'KEY_AGREEMENT')
  const { KeyId: capsule } = await keyOf('ML_KEM_512', 'ENCAPSULATE_DECAPSULATE')
  const { KeyId: rsa } = await keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
  const { Signature } = await kms.send(new SignCommand({ KeyId: signer, ...ecdsa }))
  const { Mac } = await kms.send(new GenerateMacCommand({ KeyId: mac, ...hmac }))
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: rsa, Plaintext: Message, ...oaep }),
  )
  const { SharedSecretCiphertextBlob } = await kms.send(
    new EncapsulateCommand({ KeyId: capsule, ...kem }),
  )
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const PublicKey = pair.publicKey.export({ format: 'der', type: 'spki' })
  const DryRun = true
  for (const call of [
    () => kms.send(new SignCommand({ KeyId: signer, ...ecdsa, DryRun })),
    () => kms.send(new VerifyCommand({ KeyId: signer, ...ecdsa, Signature, DryRun })),
    () => kms.send(new GenerateMacCommand({ KeyId: mac, ...hmac, DryRun })),
    () => kms.send(new VerifyMacCommand({ KeyId: mac, ...hmac, Mac, DryRun })),
    () => kms.send(new DeriveSharedSecretCommand({ KeyId: agreement, ...ecdh, PublicKey, DryRun })),
    () => kms.send(new EncapsulateCommand({ KeyId: capsule, ...kem, DryRun })),
    () =>
      kms.send(
        new DecapsulateCommand({ KeyId: capsule, ...kem, SharedSecretCiphertextBlob, DryRun }),
      ),
    () => kms.send(new EncryptCommand({ KeyId: rsa, Plaintext: Message, ...oaep, DryRun })),
    () => kms.send(new DecryptCommand({ KeyId: rsa, CiphertextBlob, ...oaep, DryRun })),
  ]) {
    await refused(call(), 'DryRunOperationException', wouldHave)
  }
})

test('what would have failed is said instead', async () => {
  const { KeyId: signer } = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
  const { KeyId: mac } = await keyOf('HMAC_256', 'GENERATE_VERIFY_MAC')
  const DryRun = true
  await refused(
    kms.send(new VerifyCommand({ KeyId: signer, ...ecdsa, Signature: Buffer.of(1), DryRun })),
    'KMSInvalidSignatureException',
  )
  await refused(
    kms.send(new VerifyMacCommand({ KeyId: mac, ...hmac, Mac: Buffer.of(1), DryRun })),
    'KMSInvalidMacException',
  )
  await refused(
    kms.send(new SignCommand({ KeyId: signer, ...ecdsa, MessageType: 'DIGEST', DryRun })),
    'ValidationException',
    'Digest is invalid length for algorithm ECDSA_SHA_256.',
  )
})

test('Decrypt in a dry run can ignore its ciphertext: one of another key, none that is valid, none', async () => {
  const ignoring = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: other.keyId, Plaintext: Message }),
  )
  const KeyId = one.keyId
  const decrypt = (more: object) => kms.send(new DecryptCommand({ ...ignoring, ...more }))
  for (const blob of [CiphertextBlob, Buffer.of(1), undefined]) {
    const given = blob === undefined ? { KeyId } : { KeyId, CiphertextBlob: blob }
    await refused(decrypt(given), 'DryRunOperationException', wouldHave)
  }
  await refused(decrypt({ CiphertextBlob }), 'ValidationException', 'KeyId must not be null')
  const noDryRun = '`DryRunModifiers` needs `DryRun`'
  await refused(decrypt({ KeyId, DryRun: false }), 'ValidationException', noDryRun)
  await refused(decrypt({ KeyId, DryRun: undefined }), 'ValidationException', noDryRun)
  const unknown = decrypt({ KeyId, DryRunModifiers: ['IGNORE_ALL'] })
  await refused(
    unknown,
    'ValidationException',
    validationError(
      fails(
        "'IGNORE_ALL'",
        'dryRunModifiers.1.member',
        'satisfy enum value set: [IGNORE_CIPHERTEXT]',
      ),
    ),
  )
  const missing = kms.send(new DecryptCommand({ KeyId, CiphertextBlob: undefined }))
  await refused(
    missing,
    'ValidationException',
    validationError(fails('null', 'ciphertextBlob', 'not be null')),
  )
})

test('all else is checked though the ciphertext is ignored', async () => {
  const ignoring = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  const signer = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
  const disabled = await makeKey(kms)
  await kms.send(new DisableKeyCommand({ KeyId: disabled.keyId }))
  await refused(
    kms.send(new DecryptCommand({ KeyId: signer.KeyId, ...ignoring })),
    'InvalidKeyUsageException',
    `${signer.arn} key usage is SIGN_VERIFY which is not valid for Decrypt.`,
  )
  await refused(
    kms.send(new DecryptCommand({ KeyId: disabled.keyId, ...ignoring })),
    'DisabledException',
    `${disabled.arn} is disabled.`,
  )
  const reEncrypt = (more: object) =>
    kms.send(
      new ReEncryptCommand({
        ...ignoring,
        SourceKeyId: one.keyId,
        DestinationKeyId: other.keyId,
        ...more,
      }),
    )
  await refused(reEncrypt({}), 'DryRunOperationException', wouldHave)
  await refused(reEncrypt({ CiphertextBlob: Buffer.of(1) }), 'DryRunOperationException', wouldHave)
  const missing = 'SourceKeyId must not be null'
  await refused(reEncrypt({ SourceKeyId: undefined }), 'ValidationException', missing)
  await refused(
    reEncrypt({ DestinationKeyId: signer.KeyId }),
    'InvalidKeyUsageException',
    `${signer.arn} key usage is SIGN_VERIFY which is not valid for ReEncryptTo.`,
  )
})
