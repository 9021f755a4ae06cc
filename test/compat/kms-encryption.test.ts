import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  ReEncryptCommand,
  type EncryptCommandInput,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'
import { callByHand } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
let key: MadeKey
let other: MadeKey

before(async () => {
  key = await makeKey(kms)
  other = await makeKey(kms)
})

const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT'
const Plaintext = Buffer.from('attack at dawn')

async function seal(input: Partial<EncryptCommandInput> = {}): Promise<Uint8Array> {
  const command = new EncryptCommand({ KeyId: key.keyId, Plaintext, ...input })
  const { CiphertextBlob } = await kms.send(command)
  assert(CiphertextBlob)
  return CiphertextBlob
}

test('Encrypt answers ciphertext, key ARN and algorithm; Decrypt the material id as well', async () => {
  const { CiphertextBlob, ...sealed } = await answerOf(
    kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext })),
  )
  assert.deepEqual(sealed, { KeyId: key.arn, EncryptionAlgorithm: SYMMETRIC_DEFAULT })
  const decrypt = new DecryptCommand({ CiphertextBlob: CiphertextBlob as Uint8Array })
  const opened = await answerOf(kms.send(decrypt))
  assert.deepEqual(opened, {
    KeyId: key.arn,
    Plaintext: Uint8Array.from(Plaintext),
    EncryptionAlgorithm: SYMMETRIC_DEFAULT,
    KeyMaterialId: key.materialId,
  })
})

test('a ciphertext has the prefix and the length that AWS gives it, and names its material', async () => {
  for (const [length, recorded] of [
    [13, 165],
    [22, 174],
    [27, 179],
    [32, 184],
    [48, 201],
    [1218, 1380],
    [2374, 2536],
    [4096, 4258],
  ] as const) {
    const sealed = Buffer.from(await seal({ Plaintext: Buffer.alloc(length, 7) }))
    assert.match(sealed.toString('base64'), /^AQICAH[g-j]/)
    assert.equal(sealed.length, recorded)
    assert.equal(sealed.subarray(5, 37).toString('hex'), key.materialId)
  }
})

test('the same plaintext is never sealed the same way twice', async () => {
  assert.notDeepEqual(await seal(), await seal())
})

test('every plaintext of 1 to 4096 bytes comes back as it was', async () => {
  for (const length of [1, 15, 16, 17, 255, 256, 4095, 4096]) {
    const given = Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 255))
    const CiphertextBlob = await seal({ Plaintext: given })
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), given)
  }
})

test('a plaintext of no byte, of 4097 bytes or that is missing is refused without being shown', async () => {
  for (const [given, constraint] of [
    [Buffer.alloc(0), 'have length greater than or equal to 1'],
    [Buffer.alloc(4097, 's'), 'have length less than or equal to 4096'],
    [undefined, 'not be null'],
  ] as const) {
    await refused(
      kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext: given })),
      'ValidationException',
      validationError(fails('', 'plaintext', constraint)),
    )
  }
})

test('a ciphertext of no byte, over 6144 bytes or that is missing is refused', async () => {
  for (const [given, value, constraint] of [
    [Buffer.alloc(0), '', 'have length greater than or equal to 1'],
    [Buffer.alloc(6145), '', 'have length less than or equal to 6144'],
    [undefined, 'null', 'not be null'],
  ] as const) {
    await refused(
      kms.send(new DecryptCommand({ CiphertextBlob: given })),
      'ValidationException',
      validationError(fails(value, 'ciphertextBlob', constraint)),
    )
  }
})

test('an encryption context must be given again, whatever the order of its pairs', async () => {
  const context = { purpose: 'test', ключ: 'значение', empty: '', ['__proto__']: 'a member' }
  const CiphertextBlob = await seal({ EncryptionContext: context })
  for (const given of [context, Object.fromEntries(Object.entries(context).toReversed())]) {
    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: given })
    assert.deepEqual(Buffer.from((await kms.send(command)).Plaintext ?? []), Plaintext)
  }
})

test('another encryption context, less of it, more of it or none does not open', async () => {
  const context = { a: '1', b: '2' }
  const CiphertextBlob = await seal({ EncryptionContext: context })
  for (const EncryptionContext of [
    { a: '1', b: '3' },
    { a: '1' },
    { ...context, c: '3' },
    { A: '1', b: '2' },
    { a: '12', b: '' },
    { ab: '12' },
    {},
    undefined,
  ]) {
    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext })
    await refused(kms.send(command), 'InvalidCiphertextException')
  }
  const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: context })
  assert.deepEqual(Buffer.from((await kms.send(command)).Plaintext ?? []), Plaintext)
})

test('no encryption context and an empty one are the same', async () => {
  const without = new DecryptCommand({ CiphertextBlob: await seal(), EncryptionContext: {} })
  assert.deepEqual(Buffer.from((await kms.send(without)).Plaintext ?? []), Plaintext)
  const CiphertextBlob = await seal({ EncryptionContext: {} })
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test('the algorithm may be named, and must be one that the key has', async () => {
  const named = { EncryptionAlgorithm: SYMMETRIC_DEFAULT } as const
  const CiphertextBlob = await seal(named)
  await kms.send(new DecryptCommand({ CiphertextBlob, ...named }))
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const message = 'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.'
  for (const call of [
    () => kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext, EncryptionAlgorithm })),
    () => kms.send(new DecryptCommand({ KeyId: key.keyId, CiphertextBlob, EncryptionAlgorithm })),
  ]) {
    await refused(call(), 'InvalidKeyUsageException', message)
  }
  const values = '[RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]'
  const invented = 'AES' as typeof EncryptionAlgorithm
  await refused(
    kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext, EncryptionAlgorithm: invented })),
    'ValidationException',
    validationError(fails("'AES'", 'encryptionAlgorithm', `satisfy enum value set: ${values}`)),
  )
})

test('a plaintext is sealed with an encryption context as large as a request can be', async () => {
  const pairs = Array.from({ length: 4096 }, (_, index) => [`k${index}`, 'v'.repeat(200)])
  const EncryptionContext = Object.fromEntries(pairs) as Record<string, string>
  const CiphertextBlob = await seal({ EncryptionContext })
  await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  EncryptionContext['k4095'] = 'w'
  const changed = new DecryptCommand({ CiphertextBlob, EncryptionContext })
  await refused(kms.send(changed), 'InvalidCiphertextException')
})

test('ReEncrypt moves a ciphertext to another key and context, and answers both sides', async () => {
  const CiphertextBlob = await seal({ EncryptionContext: { side: 'from' } })
  const answer = await answerOf(
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: { side: 'from' },
        DestinationKeyId: other.keyId,
        DestinationEncryptionContext: { side: 'to' },
      }),
    ),
  )
  const { CiphertextBlob: moved, ...members } = answer
  assert.deepEqual(members, {
    SourceKeyId: key.arn,
    KeyId: other.arn,
    SourceEncryptionAlgorithm: SYMMETRIC_DEFAULT,
    DestinationEncryptionAlgorithm: SYMMETRIC_DEFAULT,
    SourceKeyMaterialId: key.materialId,
    DestinationKeyMaterialId: other.materialId,
  })
  assert.match(Buffer.from(moved as Uint8Array).toString('base64'), /^AQICAH[g-j]/)
  const decrypt = new DecryptCommand({
    CiphertextBlob: moved as Uint8Array,
    KeyId: other.keyId,
    EncryptionContext: { side: 'to' },
  })
  assert.deepEqual(Buffer.from((await kms.send(decrypt)).Plaintext ?? []), Plaintext)
})

test('ReEncrypt within one key changes the context', async () => {
  const CiphertextBlob = await seal()
  const answer = await kms.send(
    new ReEncryptCommand({
      CiphertextBlob,
      SourceKeyId: key.arn,
      DestinationKeyId: key.keyId,
      DestinationEncryptionContext: { now: 'bound' },
    }),
  )
  const moved = { CiphertextBlob: answer.CiphertextBlob }
  await refused(kms.send(new DecryptCommand(moved)), 'InvalidCiphertextException')
  await kms.send(new DecryptCommand({ ...moved, EncryptionContext: { now: 'bound' } }))
})

test('ReEncrypt refuses another source key, another context and an algorithm of another spec', async () => {
  const CiphertextBlob = await seal()
  const to = { CiphertextBlob, SourceKeyId: key.keyId, DestinationKeyId: other.keyId }
  await refused(
    kms.send(new ReEncryptCommand({ ...to, SourceKeyId: other.keyId })),
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
  await refused(
    kms.send(new ReEncryptCommand({ ...to, SourceEncryptionContext: { a: 'b' } })),
    'InvalidCiphertextException',
  )
  for (const side of ['SourceEncryptionAlgorithm', 'DestinationEncryptionAlgorithm'] as const) {
    await refused(
      kms.send(new ReEncryptCommand({ ...to, [side]: 'RSAES_OAEP_SHA_1' })),
      'InvalidKeyUsageException',
      'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.',
    )
  }
})

test('a grant token that nobody issued is refused, and empty lists are nothing', async () => {
  const CiphertextBlob = await seal()
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob, GrantTokens: ['made-up'] })),
    'InvalidGrantTokenException',
  )
  await kms.send(new DecryptCommand({ CiphertextBlob, GrantTokens: [], DryRunModifiers: [] }))
})

test('on the wire a success is JSON without a member too many, and an empty refusal has no message', async () => {
  const body = JSON.stringify({ KeyId: key.keyId, Plaintext: Plaintext.toString('base64') })
  const sealed = await callByHand(server.port, 'Encrypt', { body })
  assert.equal(sealed.status, 200)
  assert.equal(sealed.headers['content-type'], 'application/x-amz-json-1.1')
  const answer = JSON.parse(sealed.text) as Record<string, unknown>
  assert.deepEqual(Object.keys(answer), ['CiphertextBlob', 'KeyId', 'EncryptionAlgorithm'])
  const blob = { CiphertextBlob: answer['CiphertextBlob'], EncryptionContext: { no: 'such' } }
  const opened = await callByHand(server.port, 'Decrypt', { body: JSON.stringify(blob) })
  assert.equal(opened.status, 400)
  assert.equal(opened.text, '{"__type":"InvalidCiphertextException"}')
})
