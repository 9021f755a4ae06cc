/**
 * Sign and Verify refuse in AWS's words and order, table by table.
 * Source: recordings of AWS KMS, September 2026 (usage before state before algorithm before the type of
 * the message before the length of the digest before the signature).
 */
import { after, before, test } from 'node:test'
import {
  DisableKeyCommand,
  GenerateMacCommand,
  SignCommand,
  VerifyCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  type MacAlgorithmSpec,
  type MessageType,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, newKey } from './asymmetric-keys.ts'
import { fails, refused, validationError } from './sdk.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

/** Sign and Verify of the same input; the signature is none. */
async function bothRefuse(
  input: {
    readonly KeyId: string
    readonly Message: Uint8Array
    readonly SigningAlgorithm: SigningAlgorithmSpec
    readonly MessageType?: MessageType
  },
  code: string,
  message: string | ((operation: string) => string),
): Promise<void> {
  const said = (operation: string): string =>
    typeof message === 'string' ? message : message(operation)
  await refused(kms.send(new SignCommand(input)), code, said('Sign'))
  const Signature = Buffer.alloc(64, 1)
  await refused(kms.send(new VerifyCommand({ ...input, Signature })), code, said('Verify'))
}

type Row = readonly [KeySpec, SigningAlgorithmSpec, MessageType, bytes: number, message: string]

const incompatible = (algorithm: string, spec: string): string =>
  `Algorithm ${algorithm} is incompatible with key spec ${spec}.`
const wrongType = (type: string, what: string): string =>
  `Message type ${type} is incompatible with ${what}.`
const wrongLength = (algorithm: string, type: MessageType = 'DIGEST'): string =>
  `${type === 'EXTERNAL_MU' ? 'External Mu' : 'Digest'} is invalid length for algorithm ${algorithm}.`

/** Each row is wrong in all that comes after what it is refused for, too. */
const algorithmRows: readonly Row[] = [
  ['RSA_2048', 'ECDSA_SHA_256', 'EXTERNAL_MU', 1, incompatible('ECDSA_SHA_256', 'RSA_2048')],
  ['ECC_NIST_P256', 'ECDSA_SHA_384', 'DIGEST', 1, incompatible('ECDSA_SHA_384', 'ECC_NIST_P256')],
  [
    'ECC_NIST_P256',
    'RSASSA_PSS_SHA_256',
    'DIGEST',
    1,
    incompatible('RSASSA_PSS_SHA_256', 'ECC_NIST_P256'),
  ],
  [
    'ECC_SECG_P256K1',
    'ED25519_SHA_512',
    'RAW',
    1,
    incompatible('ED25519_SHA_512', 'ECC_SECG_P256K1'),
  ],
  ['ML_DSA_44', 'SM2DSA', 'DIGEST', 1, incompatible('SM2DSA', 'ML_DSA_44')],
  [
    'ECC_NIST_EDWARDS25519',
    'SYMMETRIC_DEFAULT' as SigningAlgorithmSpec,
    'DIGEST',
    1,
    incompatible('SYMMETRIC_DEFAULT', 'ECC_NIST_EDWARDS25519'),
  ],
]

const typeRows: readonly Row[] = [
  [
    'RSA_2048',
    'RSASSA_PSS_SHA_256',
    'EXTERNAL_MU',
    64,
    wrongType('EXTERNAL_MU', 'key spec RSA_2048'),
  ],
  [
    'ECC_NIST_P256',
    'ECDSA_SHA_256',
    'EXTERNAL_MU',
    1,
    wrongType('EXTERNAL_MU', 'key spec ECC_NIST_P256'),
  ],
  ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'DIGEST', 64, wrongType('DIGEST', 'key spec ML_DSA_44')],
  ['ML_DSA_87', 'ML_DSA_SHAKE_256', 'DIGEST', 1, wrongType('DIGEST', 'key spec ML_DSA_87')],
  [
    'ECC_NIST_EDWARDS25519',
    'ED25519_PH_SHA_512',
    'RAW',
    64,
    wrongType('RAW', 'algorithm ED25519_PH_SHA_512'),
  ],
  [
    'ECC_NIST_EDWARDS25519',
    'ED25519_SHA_512',
    'DIGEST',
    1,
    wrongType('DIGEST', 'algorithm ED25519_SHA_512'),
  ],
  [
    'ECC_NIST_EDWARDS25519',
    'ED25519_SHA_512',
    'EXTERNAL_MU',
    64,
    wrongType('EXTERNAL_MU', 'key spec ECC_NIST_EDWARDS25519'),
  ],
]

const digests: readonly (readonly [KeySpec, SigningAlgorithmSpec, MessageType, number])[] = [
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST', 32],
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384', 'DIGEST', 48],
  ['RSA_2048', 'RSASSA_PSS_SHA_512', 'DIGEST', 64],
  ['ECC_NIST_P256', 'ECDSA_SHA_256', 'DIGEST', 32],
  ['ECC_NIST_P384', 'ECDSA_SHA_384', 'DIGEST', 48],
  ['ECC_NIST_P521', 'ECDSA_SHA_512', 'DIGEST', 64],
  ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'DIGEST', 32],
  ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'DIGEST', 64],
  ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', 64],
]

for (const [name, code, rows] of [
  ['an algorithm of another key spec', 'InvalidKeyUsageException', algorithmRows],
  [
    'a type of message that the key or the algorithm does not take',
    'ValidationException',
    typeRows,
  ],
] as const) {
  test(`${name} is ${code}`, async () => {
    for (const [spec, SigningAlgorithm, MessageType, bytes, message] of rows) {
      const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
      const input = { KeyId, SigningAlgorithm, MessageType, Message: Buffer.alloc(bytes, 1) }
      await bothRefuse(input, code, message)
    }
  })
}

test('a digest one byte shorter or longer than its hash is a ValidationException', async () => {
  for (const [spec, SigningAlgorithm, MessageType, bytes] of digests) {
    const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
    for (const length of [1, bytes - 1, bytes + 1, 4096]) {
      const input = { KeyId, SigningAlgorithm, MessageType, Message: Buffer.alloc(length, 1) }
      await bothRefuse(input, 'ValidationException', wrongLength(SigningAlgorithm, MessageType))
    }
    const Message = Buffer.alloc(bytes, 1)
    await kms.send(new SignCommand({ KeyId, SigningAlgorithm, MessageType, Message }))
  }
})

test('a message of 4096 bytes is signed, one byte more or none is refused', async () => {
  const { KeyId } = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
  const SigningAlgorithm = 'ECDSA_SHA_256'
  await kms.send(new SignCommand({ KeyId, SigningAlgorithm, Message: Buffer.alloc(4096) }))
  for (const [length, constraint] of [
    [4097, 'have length less than or equal to 4096'],
    [0, 'have length greater than or equal to 1'],
  ] as const) {
    const input = { KeyId, SigningAlgorithm, Message: Buffer.alloc(length) } as const
    const message = validationError(fails('', 'message', constraint))
    await bothRefuse(input, 'ValidationException', message)
  }
})

test('a signature of any wrong form is KMSInvalidSignatureException; over its limit it is not read', async () => {
  for (const [spec, SigningAlgorithm] of [
    ['RSA_2048', 'RSASSA_PSS_SHA_256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'],
    ['ML_DSA_65', 'ML_DSA_SHAKE_256'],
  ] as const) {
    const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
    const Message = Buffer.from('message')
    const verify = (Signature: Uint8Array) =>
      kms.send(new VerifyCommand({ KeyId, Message, Signature, SigningAlgorithm }))
    const { Signature = new Uint8Array() } = await kms.send(
      new SignCommand({ KeyId, Message, SigningAlgorithm }),
    )
    for (const wrong of [
      Buffer.of(0),
      Buffer.of(0x30, 0x80, 0, 0),
      Buffer.from('3006020100020100', 'hex'),
      Buffer.from('30060201ff0201ff', 'hex'),
      Buffer.alloc(Signature.length),
      Buffer.alloc(Signature.length, 0xff),
      Signature.subarray(1),
      Signature.subarray(0, -1),
      Buffer.concat([Signature, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0), Signature]),
      Buffer.alloc(6144, 0x30),
    ]) {
      await refused(verify(wrong), 'KMSInvalidSignatureException')
    }
    const tooLong = fails('', 'signature', 'have length less than or equal to 6144')
    await refused(verify(Buffer.alloc(6145)), 'ValidationException', validationError(tooLong))
    await verify(Signature)
  }
})

test('usage comes before state, and state before the algorithm', async () => {
  const usages: readonly (readonly [KeySpec, KeyUsageType])[] = [
    ['RSA_2048', 'ENCRYPT_DECRYPT'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT'],
    ['HMAC_256', 'GENERATE_VERIFY_MAC'],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE'],
  ]
  const input = { Message: Buffer.of(1), SigningAlgorithm: 'ECDSA_SHA_256' } as const
  for (const [spec, usage] of usages) {
    const { KeyId, arn } = await newKey(kms, spec, usage)
    await kms.send(new DisableKeyCommand({ KeyId }))
    await bothRefuse(
      { ...input, KeyId },
      'InvalidKeyUsageException',
      (operation) => `${arn} key usage is ${usage} which is not valid for ${operation}.`,
    )
  }
  const { KeyId, arn } = await newKey(kms, 'ECC_NIST_P384', 'SIGN_VERIFY')
  await kms.send(new DisableKeyCommand({ KeyId }))
  await bothRefuse({ ...input, KeyId }, 'DisabledException', `${arn} is disabled.`)
})

test('what is not of the set is refused with the set as AWS prints it', async () => {
  const { KeyId } = await keyOf('ECC_NIST_P256', 'SIGN_VERIFY')
  const Message = Buffer.of(1)
  const enumError = (value: string, path: string, set: string): string =>
    validationError(fails(`'${value}'`, path, `satisfy enum value set: [${set}]`))
  await refused(
    kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm: 'X' as SigningAlgorithmSpec })),
    'ValidationException',
    enumError(
      'X',
      'signingAlgorithm',
      'RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, ' +
        'RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, ' +
        'ECDSA_SHA_512, ED25519_SHA_512, ED25519_PH_SHA_512, SM2DSA, ML_DSA_SHAKE_256',
    ),
  )
  await refused(
    kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm: 'X' as MacAlgorithmSpec })),
    'ValidationException',
    enumError('X', 'macAlgorithm', 'HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512'),
  )
  const typed = { MessageType: 'X' as MessageType, SigningAlgorithm: 'ECDSA_SHA_256' as const }
  await refused(
    kms.send(new SignCommand({ KeyId, Message, ...typed })),
    'ValidationException',
    enumError('X', 'messageType', 'RAW, DIGEST, EXTERNAL_MU'),
  )
})
