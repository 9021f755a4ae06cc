/**
 * The cases: one operation each, with the keys that it needs and inputs that all differ. A case uses nothing
 * except the API of KMS, so that it runs against any server that has the operation.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  CreateKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListKeysCommand,
  SignCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'

export interface CaseDependencies {
  /** A client with all permissions. */
  readonly kms: KMSClient
  /** Ids of symmetric keys. The first calls name each of them once, later calls name one at random. */
  readonly keyIds: readonly string[]
  /** Bytes of a plaintext or a message. */
  readonly bytes: number
  /** A principal that grants may be made for. */
  readonly granteeArn: string
}

export interface Case {
  readonly name: string
  readonly operation: string
  /** Whether a grant on the symmetric keys is enough. */
  readonly byGrant: boolean
  /** Makes what the calls need, and returns the input of the next call. */
  readonly prepare: (ports: CaseDependencies) => Promise<() => object>
}

const EncryptionContext = { purpose: 'bench' }

/** Ciphertexts that are prepared at the same time. */
const atOnce = 32

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
    byGrant: true,
    prepare: async ({ keyIds, bytes }) => {
      const keyId = inTurn(keyIds)
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
    byGrant: true,
    prepare: async (ports) => {
      const blob = inTurn(await ciphertexts(ports))
      return differing(() => ({ CiphertextBlob: blob(), EncryptionContext }))
    },
  },
  {
    name: 'GenerateDataKey',
    operation: 'GenerateDataKey',
    byGrant: true,
    prepare: async ({ keyIds }) => {
      const keyId = inTurn(keyIds)
      return differing(() => ({ KeyId: keyId(), KeySpec: 'AES_256', EncryptionContext }))
    },
  },
  {
    name: 'ReEncrypt',
    operation: 'ReEncrypt',
    byGrant: true,
    prepare: async (ports) => {
      const blob = inTurn(await ciphertexts(ports))
      const keyId = inTurn(ports.keyIds)
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
    byGrant: false,
    prepare: async ({ kms, bytes }) => {
      const KeyId = await newKey(kms, 'HMAC_256', 'GENERATE_VERIFY_MAC')
      const MacAlgorithm = 'HMAC_SHA_256'
      return () => ({ KeyId, MacAlgorithm, Message: randomBytes(bytes).toString('base64') })
    },
  },
  ...Object.entries(signatureSpecs).flatMap(([name, [spec, SigningAlgorithm]]): Case[] => [
    {
      name: `Sign-${name}`,
      operation: 'Sign',
      byGrant: false,
      prepare: async ({ kms, bytes }) => {
        const KeyId = await newKey(kms, spec, 'SIGN_VERIFY')
        const Message = (): string => randomBytes(bytes).toString('base64')
        return () => ({ KeyId, SigningAlgorithm, MessageType: 'RAW', Message: Message() })
      },
    },
    {
      name: `Verify-${name}`,
      operation: 'Verify',
      byGrant: false,
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
    byGrant: true,
    prepare: async ({ keyIds }) => {
      const KeyId = inTurn(keyIds)
      return differing(() => ({ KeyId: KeyId() }))
    },
  },
  {
    name: 'ListKeys',
    operation: 'ListKeys',
    byGrant: false,
    prepare: async ({ kms }) => {
      const page = inTurn(await threePages((input) => kms.send(new ListKeysCommand(input)), 1000))
      return differing(() => page())
    },
  },
  {
    name: 'ListAliases',
    operation: 'ListAliases',
    byGrant: false,
    prepare: async ({ kms }) => {
      const page = inTurn(await threePages((input) => kms.send(new ListAliasesCommand(input)), 100))
      return differing(() => page())
    },
  },
  {
    name: 'CreateAlias',
    operation: 'CreateAlias',
    byGrant: false,
    prepare: async ({ keyIds }) => {
      const TargetKeyId = inTurn(keyIds)
      return () => ({
        AliasName: `alias/bench-${randomBytes(12).toString('hex')}`,
        TargetKeyId: TargetKeyId(),
      })
    },
  },
  {
    name: 'CreateKey',
    operation: 'CreateKey',
    byGrant: false,
    prepare: async () => differing(() => ({ Description: 'bench' })),
  },
  {
    name: 'CreateGrant',
    operation: 'CreateGrant',
    byGrant: false,
    prepare: async ({ keyIds, granteeArn }) => {
      const KeyId = inTurn(keyIds)
      const grant = { GranteePrincipal: granteeArn, Operations: ['Decrypt'] }
      return differing(() => ({ KeyId: KeyId(), ...grant }))
    },
  },
]

async function newKey(kms: KMSClient, KeySpec: KeySpec, KeyUsage: KeyUsageType): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  return KeyMetadata?.KeyId ?? ''
}

/** Ciphertexts of one key each, made several at a time. */
async function ciphertexts({ kms, keyIds, bytes }: CaseDependencies): Promise<readonly string[]> {
  const made: string[] = []
  for (let from = 0; from < keyIds.length; from += atOnce) {
    const some = keyIds.slice(from, from + atOnce).map(async (KeyId) => {
      const input = { KeyId, Plaintext: randomBytes(bytes), EncryptionContext }
      const { CiphertextBlob = new Uint8Array() } = await kms.send(new EncryptCommand(input))
      return base64(CiphertextBlob)
    })
    made.push(...(await Promise.all(some)))
  }
  return made
}

/** Each value once, then values at random. */
function inTurn<Value>(values: readonly Value[]): () => Value {
  let next = 0
  return () => {
    const value = values[next < values.length ? next++ : Math.floor(Math.random() * next)]
    if (value === undefined) throw new RangeError('no values')
    return value
  }
}

interface Page {
  readonly Limit: number
  readonly Marker?: string | undefined
}

/** The first page of a list, the one in its middle, and the last. */
async function threePages(
  list: (page: Page) => Promise<{ NextMarker?: string | undefined }>,
  Limit: number,
): Promise<readonly Page[]> {
  const pages: Page[] = [{ Limit }]
  for (;;) {
    const { NextMarker: Marker } = await list(pages.at(-1) ?? { Limit })
    if (Marker === undefined) break
    pages.push({ Limit, Marker })
  }
  return [0, 0.5, 1].flatMap((part) => pages[Math.floor(part * (pages.length - 1))] ?? [])
}

/** Adds a member that AWS ignores, so that every body, and with it every signature, is different. */
function differing(input: () => object): () => object {
  let serial = 0
  return () => ({ ...input(), Serial: (serial += 1) })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
