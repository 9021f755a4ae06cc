import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  DecryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
let key: MadeKey

before(async () => {
  key = await makeKey(kms)
})

const sizes = [
  [{ KeySpec: 'AES_256' }, 32],
  [{ KeySpec: 'AES_128' }, 16],
  [{ NumberOfBytes: 1 }, 1],
  [{ NumberOfBytes: 64 }, 64],
  [{ NumberOfBytes: 1024 }, 1024],
] as const

test('GenerateDataKey answers a data key in the clear and sealed, and the material that sealed it', async () => {
  for (const [size, bytes] of sizes) {
    const { CiphertextBlob, Plaintext, ...members } = await answerOf(
      kms.send(new GenerateDataKeyCommand({ KeyId: key.keyId, ...size })),
    )
    assert.deepEqual(members, { KeyId: key.arn, KeyMaterialId: key.materialId })
    assert.equal((Plaintext as Uint8Array).length, bytes)
    const sealed = Buffer.from(CiphertextBlob as Uint8Array)
    assert.match(sealed.toString('base64'), /^AQIDAH[g-j]/)
    if (bytes === 32) assert.equal(sealed.length, 184)
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed }))
    assert.deepEqual(opened.Plaintext, Plaintext)
  }
})

test('GenerateDataKeyWithoutPlaintext answers the same but the key in the clear', async () => {
  for (const [size, bytes] of sizes) {
    const { CiphertextBlob, ...members } = await answerOf(
      kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key.keyId, ...size })),
    )
    assert.deepEqual(members, { KeyId: key.arn, KeyMaterialId: key.materialId })
    const sealed = Buffer.from(CiphertextBlob as Uint8Array)
    assert.match(sealed.toString('base64'), /^AQIDAH[g-j]/)
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed }))
    assert.equal(opened.Plaintext?.length, bytes)
  }
})

test('a data key is bound to its encryption context', async () => {
  const EncryptionContext = { file: 'ledger' }
  const request = { KeyId: key.keyId, KeySpec: 'AES_256', EncryptionContext } as const
  for (const command of [
    new GenerateDataKeyCommand(request),
    new GenerateDataKeyWithoutPlaintextCommand(request),
  ]) {
    const { CiphertextBlob } = await kms.send(command)
    await refused(kms.send(new DecryptCommand({ CiphertextBlob })), 'InvalidCiphertextException')
    await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  }
})

test('no two data keys are the same', async () => {
  const make = async (): Promise<string> => {
    const command = new GenerateDataKeyCommand({ KeyId: key.keyId, KeySpec: 'AES_256' })
    return Buffer.from((await kms.send(command)).Plaintext ?? []).toString('hex')
  }
  const made = await Promise.all(Array.from({ length: 20 }, make))
  assert.equal(new Set(made).size, 20)
})

const kmsKeySpecs =
  '[RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ' +
  'ECC_SECG_P256K1, ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, ' +
  'HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87]'

test('the length of a data key is said in one way, within bounds', async () => {
  const oneOfThem = 'Please specify either number of bytes or key spec.'
  const AES_257 = 'AES_257' as 'AES_256'
  for (const [size, message] of [
    [{}, oneOfThem],
    [{ KeySpec: 'AES_256', NumberOfBytes: 32 }, oneOfThem],
    [
      { NumberOfBytes: 0 },
      validationError(fails("'0'", 'numberOfBytes', 'have value greater than or equal to 1')),
    ],
    [
      { NumberOfBytes: 1025 },
      validationError(fails("'1025'", 'numberOfBytes', 'have value less than or equal to 1024')),
    ],
    [
      { KeySpec: AES_257 },
      validationError(fails("'AES_257'", 'keySpec', `satisfy enum value set: ${kmsKeySpecs}`)),
    ],
  ] as const) {
    const request = { KeyId: key.keyId, ...size }
    const calls = [
      kms.send(new GenerateDataKeyCommand(request)),
      kms.send(new GenerateDataKeyWithoutPlaintextCommand(request)),
    ]
    await Promise.all(calls.map((call) => refused(call, 'ValidationException', message)))
  }
})

test('GenerateRandom answers bytes and nothing else', async () => {
  for (const NumberOfBytes of [1, 32, 1024]) {
    const { Plaintext, ...rest } = await answerOf(
      kms.send(new GenerateRandomCommand({ NumberOfBytes })),
    )
    assert.deepEqual(rest, {})
    assert.equal((Plaintext as Uint8Array).length, NumberOfBytes)
  }
  const [one, other] = await Promise.all(
    [32, 32].map((NumberOfBytes) => kms.send(new GenerateRandomCommand({ NumberOfBytes }))),
  )
  assert.notDeepEqual(one?.Plaintext, other?.Plaintext)
})

test('GenerateRandom wants a number from 1 to 1024, and finds no unknown custom key store', async () => {
  for (const [NumberOfBytes, message] of [
    [undefined, 'NumberOfBytes is required.'],
    [0, validationError(fails("'0'", 'numberOfBytes', 'have value greater than or equal to 1'))],
    [
      1025,
      validationError(fails("'1025'", 'numberOfBytes', 'have value less than or equal to 1024')),
    ],
  ] as const) {
    const call = kms.send(new GenerateRandomCommand({ NumberOfBytes }))
    await refused(call, 'ValidationException', message)
  }
  await refused(
    kms.send(new GenerateRandomCommand({ NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' })),
    'CustomKeyStoreNotFoundException',
    'Custom key store cks-1 does not exist.',
  )
})
