/**
 * The cases: one operation each, with the keys that it needs and inputs that all differ. A case uses nothing
 * except the API of KMS, so that it runs against any server that has the operation.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  CreateKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  SignCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'

export interface CasePorts {
  readonly kms: KMSClient
  /** Ids of symmetric keys, of which each call names one at random. */
  readonly keyIds: readonly string[]
  /** Bytes of a plaintext or a message. */
  readonly bytes: number
  /** A principal that grants may be made for. */
  readonly granteeArn: string
}

export interface Case {
  readonly name: string
  readonly operation: string
  /** Makes what the calls need, and returns the input of the next call. */
  readonly prepare: (ports: CasePorts) => Promise<() => object>
}

const EncryptionContext = { purpose: 'bench' }

/** Ciphertexts or signatures that the calls of one case take turns with, each of another key where there are many. */
const preparedMax = 1000

const signatureSpecs: Readonly<Record<string, readonly [KeySpec, SigningAlgorithmSpec]>> = {
  P256: ['ECC_NIST_P256', 'ECDSA_SHA_256'],
  RSA2048: ['RSA_2048', 'RSASSA_PSS_SHA_256'],
  Ed25519: ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'],
  MLDSA65: ['ML_DSA_65', 'ML_DSA_SHAKE_256'],
}

export const cases: readonly Case[] = [
  {
    name: 'Encrypt',
    operation: 'Encrypt',
    prepare: async ({ keyIds, bytes }) => {
      const keyId = atRandom(keyIds)
      return () => ({
        KeyId: keyId(),
        Plaintext: randomBytes(bytes).toString('base64'),
        EncryptionContext,
      })
    },
  },
  {
    name: 'Decrypt',
    operation: 'Decrypt',
    prepare: async (ports) => {
      const blob = atRandom(await ciphertexts(ports))
      return differing(() => ({ CiphertextBlob: blob(), EncryptionContext }))
    },
  },
  {
    name: 'GenerateDataKey',
    operation: 'GenerateDataKey',
    prepare: async ({ keyIds }) => {
      const keyId = atRandom(keyIds)
      return differing(() => ({ KeyId: keyId(), KeySpec: 'AES_256', EncryptionContext }))
    },
  },
  {
    name: 'ReEncrypt',
    operation: 'ReEncrypt',
    prepare: async (ports) => {
      const blob = atRandom(await ciphertexts(ports))
      const keyId = atRandom(ports.keyIds)
      return differing(() => ({
        CiphertextBlob: blob(),
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: keyId(),
        DestinationEncryptionContext: EncryptionContext,
      }))
    },
  },
  {
    name: 'GenerateMac',
    operation: 'GenerateMac',
    prepare: async ({ kms, bytes }) => {
      const KeyId = await newKey(kms, 'HMAC_256', 'GENERATE_VERIFY_MAC')
      const MacAlgorithm = 'HMAC_SHA_256'
      // The first call opens the material.
      await kms.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: randomBytes(bytes) }))
      return () => ({ KeyId, MacAlgorithm, Message: randomBytes(bytes).toString('base64') })
    },
  },
  ...Object.entries(signatureSpecs).flatMap(([name, [spec, SigningAlgorithm]]): Case[] => [
    {
      name: `Sign-${name}`,
      operation: 'Sign',
      prepare: async ({ kms, bytes }) => {
        const KeyId = await newKey(kms, spec, 'SIGN_VERIFY')
        const Message = (): string => randomBytes(bytes).toString('base64')
        return () => ({ KeyId, SigningAlgorithm, MessageType: 'RAW', Message: Message() })
      },
    },
    {
      name: `Verify-${name}`,
      operation: 'Verify',
      prepare: async ({ kms, bytes }) => {
        const KeyId = await newKey(kms, spec, 'SIGN_VERIFY')
        const fixed = { KeyId, SigningAlgorithm, MessageType: 'RAW' } as const
        const Message = randomBytes(bytes)
        const { Signature = new Uint8Array() } = await kms.send(
          new SignCommand({ ...fixed, Message }),
        )
        const members = { Message: base64(Message), Signature: base64(Signature) }
        return differing(() => ({ ...fixed, ...members }))
      },
    },
  ]),
  {
    name: 'DescribeKey',
    operation: 'DescribeKey',
    prepare: async ({ keyIds }) => {
      const KeyId = atRandom(keyIds)
      return differing(() => ({ KeyId: KeyId() }))
    },
  },
  {
    name: 'CreateKey',
    operation: 'CreateKey',
    prepare: async () => differing(() => ({ Description: 'bench' })),
  },
  {
    name: 'CreateGrant',
    operation: 'CreateGrant',
    prepare: async ({ keyIds, granteeArn }) => {
      const KeyId = atRandom(keyIds)
      const grant = { GranteePrincipal: granteeArn, Operations: ['Decrypt'] }
      return differing(() => ({ KeyId: KeyId(), ...grant }))
    },
  },
]

async function newKey(kms: KMSClient, KeySpec: KeySpec, KeyUsage: KeyUsageType): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  return KeyMetadata?.KeyId ?? ''
}

async function ciphertexts({ kms, keyIds, bytes }: CasePorts): Promise<readonly string[]> {
  const made: string[] = []
  for (const KeyId of keyIds.slice(0, preparedMax)) {
    const Plaintext = randomBytes(bytes)
    const { CiphertextBlob = new Uint8Array() } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
    )
    made.push(base64(CiphertextBlob))
  }
  return made
}

function atRandom(values: readonly string[]): () => string {
  return () => values[Math.floor(Math.random() * values.length)] ?? ''
}

/** Adds a member that AWS ignores, so that every body, and with it every signature, is different. */
function differing(input: () => object): () => object {
  let serial = 0
  return () => ({ ...input(), Serial: (serial += 1) })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
