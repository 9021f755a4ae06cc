/**
 * Results of a key, and how to decrypt, verify or derive them again: a proof holds exactly while the
 * key can be used.
 * @module
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type EncryptionAlgorithmSpec,
  type KMSClient,
  type MacAlgorithmSpec,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import type { Kind } from './life-model.ts'

export interface Proof {
  /** The Region that made it. */
  readonly place: string
  /** For a ciphertext that names its own key: its bytes and its encryption context. */
  readonly sealed?: { readonly blob: Uint8Array; readonly context: Record<string, string> }
  /** The expected answer of `again`. */
  readonly expected: string
  /** Decrypts or verifies it. @param KeyId may be omitted if the proof names its key */
  readonly again: (kms: KMSClient, KeyId: string | undefined) => Promise<string>
  /** The same with tampered input, and the error with which it must be refused. */
  readonly tampered: readonly [(kms: KMSClient, KeyId: string) => Promise<unknown>, string]
}

export const signingAlgorithms: Readonly<Record<string, SigningAlgorithmSpec>> = {
  RSA_2048: 'RSASSA_PSS_SHA_256',
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_EDWARDS25519: 'ED25519_SHA_512',
  ML_DSA_44: 'ML_DSA_SHAKE_256',
}

/** The other side of each key agreement. */
const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PublicKey = peer.publicKey.export({ type: 'spki', format: 'der' })
const EncryptionContext = { of: 'a life' }

export const macAlgorithm = (spec: string): MacAlgorithmSpec =>
  `HMAC_SHA_${spec.slice(-3)}` as MacAlgorithmSpec

const hashed = (bytes: Uint8Array | undefined): string =>
  createHash('sha256')
    .update(bytes ?? assert.fail('nothing was answered'))
    .digest('hex')
    .slice(0, 12)

type Make = (
  kms: KMSClient,
  place: string,
  KeyId: string,
  kind: Kind,
  count: number,
) => Promise<Proof>

/** Makes a proof with a usable key; `count` selects the way. */
export const makeProof: Make = (kms, place, KeyId, kind, count) => {
  const bare = kind.spec !== 'SYMMETRIC_DEFAULT' && kind.usage === 'ENCRYPT_DECRYPT'
  return (bare ? encryptedByPair : makers[kind.usage])(kms, place, KeyId, kind, count)
}

async function sealed(
  kms: KMSClient,
  place: string,
  KeyId: string,
  _: Kind,
  count: number,
): Promise<Proof> {
  const { blob, plaintext, materialId } = await sealing[count % sealing.length]!(kms, KeyId, count)
  assert(blob)
  const open = async (
    client: KMSClient,
    named: string | undefined,
    context: Record<string, string> = EncryptionContext,
  ): Promise<string> => {
    const input = { CiphertextBlob: blob, KeyId: named, EncryptionContext: context }
    const opened = await client.send(new DecryptCommand(input))
    return `${hashed(opened.Plaintext)} ${opened.KeyMaterialId}`
  }
  const expected =
    plaintext === undefined ? await open(kms, KeyId) : `${hashed(plaintext)} ${materialId}`
  const tampered = (client: KMSClient, named: string) => open(client, named, { of: 'another' })
  return {
    place,
    sealed: { blob, context: EncryptionContext },
    expected,
    again: open,
    tampered: [tampered, 'InvalidCiphertextException'],
  }
}

interface Sealed {
  readonly blob: Uint8Array | undefined
  /** Undefined if only decryption shows it. */
  readonly plaintext: Uint8Array | undefined
  readonly materialId: string | undefined
}

/** In the order in which a key makes them. */
const sealing: readonly ((kms: KMSClient, KeyId: string, count: number) => Promise<Sealed>)[] = [
  async (kms, KeyId, count) => {
    const Plaintext = Buffer.from(`sealed ${count}`)
    const input = { KeyId, Plaintext, EncryptionContext }
    const { CiphertextBlob: blob } = await kms.send(new EncryptCommand(input))
    return { blob, plaintext: undefined, materialId: undefined }
  },
  async (kms, KeyId) => {
    const input = { KeyId, KeySpec: 'AES_256', EncryptionContext } as const
    const made = await kms.send(new GenerateDataKeyCommand(input))
    return {
      blob: made.CiphertextBlob,
      plaintext: made.Plaintext,
      materialId: made.KeyMaterialId,
    }
  },
  async (kms, KeyId) => {
    const input = { KeyId, KeySpec: 'AES_128', EncryptionContext } as const
    const made = await kms.send(new GenerateDataKeyWithoutPlaintextCommand(input))
    return { blob: made.CiphertextBlob, plaintext: undefined, materialId: made.KeyMaterialId }
  },
  async (kms, KeyId) => {
    const input = { KeyId, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext } as const
    const made = await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(input))
    const { PrivateKeyCiphertextBlob: blob, KeyMaterialId: materialId } = made
    return { blob, plaintext: undefined, materialId }
  },
]

async function encryptedByPair(
  kms: KMSClient,
  place: string,
  KeyId: string,
  _: Kind,
  count: number,
): Promise<Proof> {
  const Plaintext = Buffer.from(`sealed ${count}`)
  const EncryptionAlgorithm: EncryptionAlgorithmSpec = 'RSAES_OAEP_SHA_256'
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm }),
  )
  const open = async (client: KMSClient, named: string | undefined, blob = CiphertextBlob) => {
    const input = { CiphertextBlob: blob, KeyId: named, EncryptionAlgorithm }
    return hashed((await client.send(new DecryptCommand(input))).Plaintext)
  }
  return {
    place,
    expected: hashed(Plaintext),
    again: (client, named) => open(client, named),
    tampered: [
      (client, named) => open(client, named, changed(CiphertextBlob)),
      'InvalidCiphertextException',
    ],
  }
}

async function signed(
  kms: KMSClient,
  place: string,
  KeyId: string,
  { spec }: Kind,
  count: number,
): Promise<Proof> {
  const Message = Buffer.from(`signed ${count}`)
  const SigningAlgorithm = signingAlgorithms[spec] ?? assert.fail(spec)
  const { Signature } = await kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm }))
  const verify = async (client: KMSClient, named: string | undefined, message = Message) => {
    const input = { KeyId: named, Message: message, Signature, SigningAlgorithm }
    return String((await client.send(new VerifyCommand(input))).SignatureValid)
  }
  return {
    place,
    expected: 'true',
    again: (client, named) => verify(client, named),
    tampered: [
      (client, named) => verify(client, named, Buffer.from('another')),
      'KMSInvalidSignatureException',
    ],
  }
}

async function authenticated(
  kms: KMSClient,
  place: string,
  KeyId: string,
  { spec }: Kind,
  count: number,
): Promise<Proof> {
  const Message = Buffer.from(`authenticated ${count}`)
  const MacAlgorithm = macAlgorithm(spec)
  const { Mac } = await kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm }))
  const verify = async (client: KMSClient, named: string | undefined, mac = Mac) => {
    const input = { KeyId: named, Message, Mac: mac, MacAlgorithm }
    return String((await client.send(new VerifyMacCommand(input))).MacValid)
  }
  return {
    place,
    expected: 'true',
    again: (client, named) => verify(client, named),
    tampered: [(client, named) => verify(client, named, changed(Mac)), 'KMSInvalidMacException'],
  }
}

async function agreed(kms: KMSClient, place: string, KeyId: string): Promise<Proof> {
  const derive = async (client: KMSClient, named: string | undefined, key: Buffer = PublicKey) => {
    const input = { KeyId: named, KeyAgreementAlgorithm: 'ECDH', PublicKey: key } as const
    return hashed((await client.send(new DeriveSharedSecretCommand(input))).SharedSecret)
  }
  return {
    place,
    expected: await derive(kms, KeyId),
    again: (client, named) => derive(client, named),
    tampered: [(client, named) => derive(client, named, changed(PublicKey)), 'ValidationException'],
  }
}

async function encapsulated(kms: KMSClient, place: string, KeyId: string): Promise<Proof> {
  const EncapsulationAlgorithm = 'ML_KEM'
  const made = await kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm }))
  const open = async (
    client: KMSClient,
    named: string | undefined,
    blob = made.SharedSecretCiphertextBlob,
  ) => {
    const input = {
      KeyId: named,
      SharedSecretCiphertextBlob: blob,
      EncapsulationAlgorithm,
    } as const
    return hashed((await client.send(new DecapsulateCommand(input))).SharedSecret)
  }
  return {
    place,
    expected: hashed(made.SharedSecret),
    again: (client, named) => open(client, named),
    tampered: [
      (client, named) => open(client, named, made.SharedSecretCiphertextBlob?.subarray(1)),
      'InvalidCiphertextException',
    ],
  }
}

const makers: Readonly<Record<Kind['usage'], Make>> = {
  ENCRYPT_DECRYPT: sealed,
  SIGN_VERIFY: signed,
  GENERATE_VERIFY_MAC: authenticated,
  KEY_AGREEMENT: agreed,
  ENCAPSULATE_DECAPSULATE: encapsulated,
}

/** Changes the last byte. */
function changed(bytes: Uint8Array | undefined): Buffer {
  const copy = Buffer.from(bytes ?? assert.fail('nothing was answered'))
  copy[copy.length - 1]! ^= 1
  return copy
}
