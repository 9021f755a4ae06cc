/**
 * Every cryptographic operation names what is wrong in AWS's words and order: the key, its usage, its
 * state, and only then what else the call gets wrong. A dry run changes none of it.
 */
import { after, before, test } from 'node:test'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer, type TestServer } from '../harness.ts'
import { newKey, type AsymmetricKey } from './asymmetric-keys.ts'
import { refused } from './sdk.ts'

let server: TestServer
let kms: KMSClient
/** Of another usage than the operation's, and disabled too: usage is what is named. */
let disabledSigner: AsymmetricKey
let disabledMac: AsymmetricKey

before(async () => {
  server = await startTestServer()
  kms = server.client()
  disabledSigner = await disabled('ECC_NIST_P256', 'SIGN_VERIFY')
  disabledMac = await disabled('HMAC_256', 'GENERATE_VERIFY_MAC')
})
after(() => server.stop())

async function disabled(spec: KeySpec, usage: KeyUsageType): Promise<AsymmetricKey> {
  const key = await newKey(kms, spec, usage)
  await kms.send(new DisableKeyCommand({ KeyId: key.KeyId }))
  return key
}

interface Row {
  readonly operation: string
  readonly spec: KeySpec
  readonly usage: KeyUsageType
  /** Wrong in all that comes after the key: its algorithm, its sizes, what it was made by. */
  readonly call: (KeyId: string, DryRun: boolean) => Promise<unknown>
}

const bytes = Buffer.alloc(190, 1)
const [SigningAlgorithm, MacAlgorithm] = ['ECDSA_SHA_512', 'HMAC_SHA_512'] as const
const digest = { Message: Buffer.of(1), MessageType: 'DIGEST', SigningAlgorithm } as const
const mac = { Message: bytes, MacAlgorithm } as const
const oaep = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const

const rows: readonly Row[] = [
  {
    operation: 'Encrypt',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096), DryRun })),
  },
  {
    operation: 'Decrypt',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(new DecryptCommand({ KeyId, CiphertextBlob: bytes, ...oaep, DryRun })),
  },
  {
    operation: 'ReEncryptFrom',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(
        new ReEncryptCommand({
          SourceKeyId: KeyId,
          DestinationKeyId: KeyId,
          SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
          CiphertextBlob: bytes,
          DryRun,
        }),
      ),
  },
  {
    operation: 'Sign',
    spec: 'ECC_NIST_P256',
    usage: 'SIGN_VERIFY',
    call: (KeyId, DryRun) => kms.send(new SignCommand({ KeyId, ...digest, DryRun })),
  },
  {
    operation: 'Verify',
    spec: 'ECC_NIST_P256',
    usage: 'SIGN_VERIFY',
    call: (KeyId, DryRun) =>
      kms.send(new VerifyCommand({ KeyId, ...digest, Signature: bytes, DryRun })),
  },
  {
    operation: 'GenerateMac',
    spec: 'HMAC_256',
    usage: 'GENERATE_VERIFY_MAC',
    call: (KeyId, DryRun) => kms.send(new GenerateMacCommand({ KeyId, ...mac, DryRun })),
  },
  {
    operation: 'VerifyMac',
    spec: 'HMAC_256',
    usage: 'GENERATE_VERIFY_MAC',
    call: (KeyId, DryRun) => kms.send(new VerifyMacCommand({ KeyId, ...mac, Mac: bytes, DryRun })),
  },
  {
    operation: 'GenerateDataKey',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', DryRun })),
  },
  {
    operation: 'GenerateDataKeyWithoutPlaintext',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1, DryRun })),
  },
  {
    operation: 'GenerateDataKeyPair',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256', DryRun })),
  },
  {
    operation: 'GenerateDataKeyPairWithoutPlaintext',
    spec: 'RSA_2048',
    usage: 'ENCRYPT_DECRYPT',
    call: (KeyId, DryRun) =>
      kms.send(
        new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'RSA_4096', DryRun }),
      ),
  },
  {
    operation: 'DeriveSharedSecret',
    spec: 'ECC_NIST_P256',
    usage: 'KEY_AGREEMENT',
    call: (KeyId, DryRun) =>
      kms.send(
        new DeriveSharedSecretCommand({
          KeyId,
          KeyAgreementAlgorithm: 'ECDH',
          PublicKey: bytes,
          DryRun,
        }),
      ),
  },
  {
    operation: 'Encapsulate',
    spec: 'ML_KEM_512',
    usage: 'ENCAPSULATE_DECAPSULATE',
    call: (KeyId, DryRun) =>
      kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM', DryRun })),
  },
  {
    operation: 'Decapsulate',
    spec: 'ML_KEM_512',
    usage: 'ENCAPSULATE_DECAPSULATE',
    call: (KeyId, DryRun) =>
      kms.send(
        new DecapsulateCommand({
          KeyId,
          EncapsulationAlgorithm: 'ML_KEM',
          SharedSecretCiphertextBlob: bytes,
          DryRun,
        }),
      ),
  },
]

const prefix = `arn:aws:kms:${region}:${accountId}`
const nobody = '00000000-0000-4000-8000-000000000000'

for (const { operation, spec, usage, call } of rows) {
  test(`${operation}: no such key, then its usage, then its state, and before all else`, async () => {
    const key = await disabled(spec, usage)
    const other = usage === 'SIGN_VERIFY' ? disabledMac : disabledSigner
    const otherUsage = usage === 'SIGN_VERIFY' ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY'
    const bothWays = async (KeyId: string, code: string, message: string): Promise<void> => {
      for (const dryRun of [false, true]) await refused(call(KeyId, dryRun), code, message)
    }
    const unknown = `Key '${prefix}:key/${nobody}' does not exist`
    await bothWays(nobody, 'NotFoundException', unknown)
    const noAlias = `Alias ${prefix}:alias/nobody is not found.`
    await bothWays('alias/nobody', 'NotFoundException', noAlias)
    await bothWays('nobody', 'NotFoundException', `Invalid keyId 'nobody'`)
    const away = 'arn:aws:kms:eu-west-1:111122223333:key/' + nobody
    await bothWays(away, 'NotFoundException', 'Invalid arn eu-west-1')
    const wrongUsage = `${other.arn} key usage is ${otherUsage} which is not valid for ${operation}.`
    await bothWays(other.KeyId, 'InvalidKeyUsageException', wrongUsage)
    await bothWays(key.arn, 'DisabledException', `${key.arn} is disabled.`)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId }))
    const dying = `${key.arn} is pending deletion.`
    await bothWays(key.KeyId, 'KMSInvalidStateException', dying)
  })
}
