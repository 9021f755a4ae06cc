/** Keys of every spec and usage for the tests of the wire, and what each can be asked. @module */
import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  CreateKeyCommand,
  GetPublicKeyCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  type MessageType,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'

export interface AsymmetricKey {
  readonly KeyId: string
  readonly arn: string
}

export async function newKey(
  kms: KMSClient,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
): Promise<AsymmetricKey> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  assert(KeyMetadata?.KeyId !== undefined && KeyMetadata.Arn !== undefined)
  return { KeyId: KeyMetadata.KeyId, arn: KeyMetadata.Arn }
}

/** The public half, as anyone would read it. */
export async function publicKeyOf(kms: KMSClient, KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
}

const rsa = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
const rsaSigning = [
  ['RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
  ['RSASSA_PKCS1_V1_5_SHA_384', 'sha384'],
  ['RSASSA_PKCS1_V1_5_SHA_512', 'sha512'],
  ['RSASSA_PSS_SHA_256', 'sha256'],
  ['RSASSA_PSS_SHA_384', 'sha384'],
  ['RSASSA_PSS_SHA_512', 'sha512'],
] as const

/** One way to sign: `hash` is that of the digest, where the algorithm takes one of the message. */
export interface Signing {
  readonly spec: KeySpec
  readonly algorithm: SigningAlgorithmSpec
  readonly types: readonly MessageType[]
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
}

const hashed = ['RAW', 'DIGEST'] as const

/** Every key spec that signs, with each of its algorithms. */
export const signings: readonly Signing[] = [
  ...rsa.flatMap((spec) =>
    rsaSigning.map(([algorithm, hash]) => ({ spec, algorithm, hash, types: hashed })),
  ),
  { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', hash: 'sha256', types: hashed },
  { spec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384', hash: 'sha384', types: hashed },
  { spec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512', hash: 'sha512', types: hashed },
  { spec: 'ECC_SECG_P256K1', algorithm: 'ECDSA_SHA_256', hash: 'sha256', types: hashed },
  { spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', types: ['RAW'] },
  {
    spec: 'ECC_NIST_EDWARDS25519',
    algorithm: 'ED25519_PH_SHA_512',
    hash: 'sha512',
    types: ['DIGEST'],
  },
  ...(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const).map((spec) => ({
    spec,
    algorithm: 'ML_DSA_SHAKE_256' as const,
    types: ['RAW', 'EXTERNAL_MU'] as const,
  })),
]

/** Makes each key once, when it is first asked for. */
export function keyPool(
  kms: () => KMSClient,
): (spec: KeySpec, usage: KeyUsageType) => Promise<AsymmetricKey> {
  const made = new Map<string, Promise<AsymmetricKey>>()
  return (spec, usage) => {
    const name = `${spec} ${usage}`
    const key = made.get(name) ?? newKey(kms(), spec, usage)
    made.set(name, key)
    return key
  }
}

/** `r ‖ s` of a DER signature, each as wide as the field: what JWS and WebCrypto hold. */
export function pairOf(signature: Buffer, coordinate: number): Buffer {
  const start = signature[1] === 0x81 ? 3 : 2
  const rLength = signature[start + 1] ?? 0
  const r = signature.subarray(start + 2, start + 2 + rLength)
  const s = signature.subarray(start + 2 + rLength + 2)
  return Buffer.concat([r, s].map((number) => fitted(number, coordinate)))
}

function fitted(number: Buffer, width: number): Buffer {
  const digits = number.subarray(Math.max(0, number.length - width))
  return Buffer.concat([Buffer.alloc(width - digits.length), digits])
}
