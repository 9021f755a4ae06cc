/** Sign and Verify through the official SDK: every spec and algorithm, and every type of message. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type MessageType, SignCommand, VerifyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { assert as hold, asyncProperty, constantFrom, nat, uint8Array } from 'fast-check'
import { messageRepresentative } from '../crypto/algorithms/message-representative.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, publicKeyOf, type Signing, signings } from './asymmetric-keys.ts'
import { answerOf, refused } from './sdk.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

/** The message as the type asks for it: itself, its digest, or μ. */
async function as(type: MessageType, message: Buffer, signing: Signing): Promise<Buffer> {
  if (type === 'RAW') return message
  if (type === 'DIGEST')
    return createHash(signing.hash ?? 'sha256')
      .update(message)
      .digest()
  const { KeyId } = await keyOf(signing.spec, 'SIGN_VERIFY')
  const publicKey = await publicKeyOf(kms, KeyId)
  return messageRepresentative(publicKey.export({ format: 'raw-public' }), message)
}

async function sign(signing: Signing, MessageType: MessageType, Message: Buffer): Promise<Buffer> {
  const { KeyId } = await keyOf(signing.spec, 'SIGN_VERIFY')
  const SigningAlgorithm = signing.algorithm
  const call = kms.send(new SignCommand({ KeyId, MessageType, Message, SigningAlgorithm }))
  return Buffer.from((await call).Signature ?? [])
}

async function verify(
  signing: Signing,
  MessageType: MessageType,
  Message: Buffer,
  Signature: Buffer,
): Promise<Record<string, unknown>> {
  const { KeyId } = await keyOf(signing.spec, 'SIGN_VERIFY')
  const SigningAlgorithm = signing.algorithm
  const input = { KeyId, MessageType, Message, Signature, SigningAlgorithm }
  return answerOf(kms.send(new VerifyCommand(input)))
}

for (const signing of signings) {
  const { spec, algorithm, types } = signing
  test(`${spec} ${algorithm}: what is signed as ${types.join(' or ')} verifies as either`, async () => {
    const { KeyId, arn } = await keyOf(spec, 'SIGN_VERIFY')
    const message = randomBytes(1 + (randomBytes(1)[0] ?? 0))
    for (const signedAs of types) {
      const Message = await as(signedAs, message, signing)
      const input = { KeyId, Message, MessageType: signedAs, SigningAlgorithm: algorithm }
      const { Signature, ...rest } = await answerOf(kms.send(new SignCommand(input)))
      assert.deepEqual(rest, { KeyId: arn, SigningAlgorithm: algorithm })
      for (const verifiedAs of types) {
        const verified = await verify(
          signing,
          verifiedAs,
          await as(verifiedAs, message, signing),
          Buffer.from(Signature as Uint8Array),
        )
        assert.deepEqual(verified, {
          KeyId: arn,
          SignatureValid: true,
          SigningAlgorithm: algorithm,
        })
      }
    }
  })
}

test('the type of a message is RAW when nothing is said', async () => {
  const signing = { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', types: ['RAW'] } as const
  const { KeyId } = await keyOf(signing.spec, 'SIGN_VERIFY')
  const Message = Buffer.alloc(32, 1)
  const SigningAlgorithm = signing.algorithm
  const { Signature } = await kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm }))
  await verify(signing, 'RAW', Message, Buffer.from(Signature ?? []))
  // A digest that is sent as a message is hashed: it is another signature.
  const wrong = verify(signing, 'DIGEST', Message, Buffer.from(Signature ?? []))
  await refused(wrong, 'KMSInvalidSignatureException')
})

test('ECDSA, PSS and ML-DSA signatures differ each time; PKCS #1 and Ed25519 do not', async () => {
  const message = Buffer.from('the same message')
  for (const signing of signings.filter(({ spec }) => !/RSA_[34]/.test(spec))) {
    for (const type of signing.types) {
      const given = await as(type, message, signing)
      const [one, other] = [await sign(signing, type, given), await sign(signing, type, given)]
      const same = /PKCS1|ED25519/.test(signing.algorithm)
      assert.equal(one.equals(other), same, `${signing.spec} ${signing.algorithm} ${type}`)
    }
  }
})

test('Ed25519ph is never Ed25519 of the same bytes', async () => {
  const [pure, prehashed] = signings.filter(({ spec }) => spec === 'ECC_NIST_EDWARDS25519')
  assert(pure !== undefined && prehashed !== undefined)
  const digest = randomBytes(64)
  const [one, other] = [await sign(pure, 'RAW', digest), await sign(prehashed, 'DIGEST', digest)]
  assert.notDeepEqual(one, other)
  await refused(verify(pure, 'RAW', digest, other), 'KMSInvalidSignatureException')
  await refused(verify(prehashed, 'DIGEST', digest, one), 'KMSInvalidSignatureException')
})

test('a signature under one key is none under another of its spec', async () => {
  const signing = { spec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384', types: ['RAW'] } as const
  const otherPool = keyPool(() => kms)
  const other = await otherPool(signing.spec, 'SIGN_VERIFY')
  const Message = Buffer.from('message')
  const Signature = await sign(signing, 'RAW', Message)
  const input = { KeyId: other.KeyId, Message, Signature, SigningAlgorithm: signing.algorithm }
  await refused(kms.send(new VerifyCommand(input)), 'KMSInvalidSignatureException')
})

const sampled = signings.filter(
  ({ spec, algorithm }) => !/RSA_[34]/.test(spec) && !/SHA_(384|512)$/.test(algorithm),
)
for (const signing of [
  ...sampled,
  ...signings.filter(({ spec }) => /P384|P521|EDWARDS/.test(spec)),
]) {
  const { spec, algorithm, types } = signing
  test(`${spec} ${algorithm}: Verify takes what Sign makes, and no change of a bit in it`, async () => {
    const property = asyncProperty(
      uint8Array({ minLength: 1, maxLength: 300 }),
      constantFrom(...types),
      nat(),
      constantFrom('signature', 'message', 'shorter', 'longer'),
      async (bytes, type, place, what) => {
        const message = await as(type, Buffer.from(bytes), signing)
        const signature = await sign(signing, type, message)
        await verify(signing, type, message, signature)
        const [changedMessage, changedSignature] = {
          message: [flip(message, place), signature] as const,
          signature: [message, flip(signature, place)] as const,
          shorter: [message, signature.subarray(0, -1)] as const,
          longer: [message, Buffer.concat([signature, Buffer.of(0)])] as const,
        }[what]
        const changed = verify(signing, type, changedMessage, changedSignature)
        await refused(changed, 'KMSInvalidSignatureException')
      },
    )
    await hold(property, { numRuns: 12 })
  })
}

function flip(bytes: Buffer, place: number): Buffer {
  const bit = place % (bytes.length * 8)
  const changed = Buffer.from(bytes)
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}
