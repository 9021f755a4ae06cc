/** What the operations of key pairs and HMAC keys show policies, leave in the journal, and hide from it. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  GetPublicKeyCommand,
  PutKeyPolicyCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { newKey } from './asymmetric-keys.ts'
import { recordsOf, recordTexts } from './records.ts'
import { refused } from './sdk.ts'

let server: TestServer
let kms: KMSClient
/** Every byte array that was sent or answered: none of it may be in the journal. */
const secrets: Uint8Array[] = []

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

interface Case {
  readonly operation: string
  readonly spec: KeySpec
  readonly usage: KeyUsageType
  /** What the record holds beside the key. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A condition key that the call sets, and a value that it does not have. */
  readonly condition?: readonly [name: string, value: string, other: string]
  readonly run: (KeyId: string) => Promise<unknown>
}

const Message = Buffer.from('a message that nobody is to read in the journal')
const PublicKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
  format: 'der',
  type: 'spki',
})
const ecdsa = { Message, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' } as const
const hmac = { Message, MacAlgorithm: 'HMAC_SHA_256' } as const
const ecdh = { KeyAgreementAlgorithm: 'ECDH' } as const
const kem = { EncapsulationAlgorithm: 'ML_KEM' } as const
const oaep = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const
const pair = { KeyPairSpec: 'ECC_NIST_P256', EncryptionContext: { purpose: 'test' } } as const

const signing = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } as const
const mac = { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' } as const
const capsule = { spec: 'ML_KEM_512', usage: 'ENCAPSULATE_DECAPSULATE' } as const
const rsa = { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT' } as const
const symmetric = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } as const
const signed = { messageType: 'RAW', signingAlgorithm: 'ECDSA_SHA_256' }
const paired = { keyPairSpec: 'ECC_NIST_P256', encryptionContext: { purpose: 'test' } }

const cases: readonly Case[] = [
  {
    operation: 'Sign',
    ...signing,
    parameters: signed,
    condition: ['kms:MessageType', 'RAW', 'DIGEST'],
    run: (KeyId) => kms.send(new SignCommand({ KeyId, ...ecdsa })),
  },
  {
    operation: 'Verify',
    ...signing,
    parameters: signed,
    condition: ['kms:SigningAlgorithm', 'ECDSA_SHA_256', 'ECDSA_SHA_384'],
    run: async (KeyId) => {
      const { Signature } = await kms.send(new SignCommand({ KeyId, ...ecdsa }))
      return kms.send(new VerifyCommand({ KeyId, ...ecdsa, Signature }))
    },
  },
  {
    operation: 'GenerateMac',
    ...mac,
    parameters: { macAlgorithm: 'HMAC_SHA_256' },
    condition: ['kms:MacAlgorithm', 'HMAC_SHA_256', 'HMAC_SHA_512'],
    run: (KeyId) => kms.send(new GenerateMacCommand({ KeyId, ...hmac })),
  },
  {
    operation: 'VerifyMac',
    ...mac,
    parameters: { macAlgorithm: 'HMAC_SHA_256' },
    condition: ['kms:MacAlgorithm', 'HMAC_SHA_256', 'HMAC_SHA_512'],
    run: async (KeyId) => {
      const { Mac } = await kms.send(new GenerateMacCommand({ KeyId, ...hmac }))
      return kms.send(new VerifyMacCommand({ KeyId, ...hmac, Mac }))
    },
  },
  {
    operation: 'DeriveSharedSecret',
    spec: 'ECC_NIST_P256',
    usage: 'KEY_AGREEMENT',
    parameters: { keyAgreementAlgorithm: 'ECDH' },
    condition: ['kms:KeyAgreementAlgorithm', 'ECDH', 'X25519'],
    run: (KeyId) => kms.send(new DeriveSharedSecretCommand({ KeyId, PublicKey, ...ecdh })),
  },
  {
    operation: 'Encapsulate',
    ...capsule,
    parameters: { encapsulationAlgorithm: 'ML_KEM' },
    condition: ['kms:EncapsulationAlgorithm', 'ML_KEM', 'OTHER'],
    run: (KeyId) => kms.send(new EncapsulateCommand({ KeyId, ...kem })),
  },
  {
    operation: 'Decapsulate',
    ...capsule,
    parameters: { encapsulationAlgorithm: 'ML_KEM' },
    condition: ['kms:EncapsulationAlgorithm', 'ML_KEM', 'OTHER'],
    run: async (KeyId) => {
      const { SharedSecretCiphertextBlob } = await kms.send(
        new EncapsulateCommand({ KeyId, ...kem }),
      )
      return kms.send(new DecapsulateCommand({ KeyId, ...kem, SharedSecretCiphertextBlob }))
    },
  },
  {
    operation: 'Encrypt',
    ...rsa,
    parameters: { encryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
    condition: ['kms:EncryptionAlgorithm', 'RSAES_OAEP_SHA_256', 'SYMMETRIC_DEFAULT'],
    run: (KeyId) => kms.send(new EncryptCommand({ KeyId, Plaintext: Message, ...oaep })),
  },
  {
    operation: 'Decrypt',
    ...rsa,
    parameters: { encryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
    condition: ['kms:EncryptionAlgorithm', 'RSAES_OAEP_SHA_256', 'SYMMETRIC_DEFAULT'],
    run: async (KeyId) => {
      const sealed = new EncryptCommand({ KeyId, Plaintext: Message, ...oaep })
      const { CiphertextBlob } = await kms.send(sealed)
      return kms.send(new DecryptCommand({ KeyId, CiphertextBlob, ...oaep }))
    },
  },
  {
    operation: 'GenerateDataKeyPair',
    ...symmetric,
    parameters: paired,
    condition: ['kms:DataKeyPairSpec', 'ECC_NIST_P256', 'RSA_2048'],
    run: (KeyId) => kms.send(new GenerateDataKeyPairCommand({ KeyId, ...pair })),
  },
  {
    operation: 'GenerateDataKeyPairWithoutPlaintext',
    ...symmetric,
    parameters: paired,
    condition: ['kms:EncryptionContext:purpose', 'test', 'other'],
    run: (KeyId) => kms.send(new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, ...pair })),
  },
  {
    operation: 'GetPublicKey',
    ...signing,
    parameters: {},
    run: (KeyId) => kms.send(new GetPublicKeyCommand({ KeyId })),
  },
]

for (const { operation, spec, usage, parameters, run } of cases) {
  test(`${operation} leaves one record, of the key and the algorithm, and counts as a use`, async () => {
    const { KeyId, arn } = await newKey(kms, spec, usage)
    const answer = (await run(KeyId)) as Record<string, unknown>
    secrets.push(
      Message,
      ...Object.values(answer).filter((value): value is Uint8Array => value instanceof Uint8Array),
    )
    const records = (await recordsOf(server.directory)).filter(
      ({ eventName, resources }) => eventName === operation && resources[0]?.['ARN'] === arn,
    )
    assert.equal(records.length, 1)
    const [record] = records
    assert.deepEqual(record?.requestParameters, { keyId: KeyId, ...parameters })
    assert.equal(record?.responseElements, null)
    assert.equal(record?.readOnly, true)
    assert.deepEqual(record?.resources, [{ accountId, type: 'AWS::KMS::Key', ARN: arn }])
    const { KeyLastUsage } = await kms.send(new GetKeyLastUsageCommand({ KeyId }))
    const counted = operation === 'GetPublicKey' ? undefined : operation
    assert.equal(KeyLastUsage?.Operation, counted)
    if (counted !== undefined) assert.equal(KeyLastUsage?.CloudTrailEventId, record?.eventID)
  })
}

test('nothing that was signed, sealed, derived or answered is in the journal', async () => {
  const journal = (await recordTexts(server.directory)).join('\n')
  assert(secrets.length > 20)
  for (const bytes of secrets) {
    const found = (['base64', 'hex', 'latin1'] as const).filter((encoding) =>
      journal.includes(Buffer.from(bytes).toString(encoding)),
    )
    assert.deepEqual(found, [])
  }
})

for (const { operation, spec, usage, condition, run } of cases) {
  if (condition === undefined) continue
  const [name, value, other] = condition
  test(`${operation} is denied by a policy on its ${name}, and not by one on another value`, async () => {
    const { KeyId, arn } = await newKey(kms, spec, usage)
    const AWS = `arn:aws:iam::${accountId}:root`
    const allow = { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' }
    const denying = (denied: string): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          allow,
          {
            Effect: 'Deny',
            Principal: '*',
            Action: `kms:${operation}`,
            Resource: '*',
            Condition: { StringEquals: { [name]: denied } },
          },
        ],
      })
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: denying(other) }))
    await run(KeyId)
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: denying(value) }))
    await refused(
      run(KeyId),
      'AccessDeniedException',
      `User: ${AWS} is not authorized to perform: kms:${operation} on resource: ${arn} ` +
        'with an explicit deny in a resource-based policy',
    )
  })
}
