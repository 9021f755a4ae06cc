/** Each operation of the key-state table, called on a real key through the official SDK. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import * as sdk from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import type { Given } from './life-calls.ts'
import { macAlgorithm, signingAlgorithms } from './life-proofs.ts'
import { askParameters, freshParameters, sendMaterial, type LivingKey } from './living-key.ts'

/** The context of a call. */
interface Asked extends Given {
  readonly key: LivingKey
  readonly place: string
  readonly kms: sdk.KMSClient
  readonly KeyId: string
  /** The server's time, in milliseconds since the epoch. */
  readonly now: number
}

type Ask = (asked: Asked) => Promise<unknown> | undefined

const Plaintext = Buffer.from('now')
const Message = Plaintext
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PublicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
/** Stands for material if the call is refused before it is used. */
const algorithm = 'RSAES_OAEP_SHA_256'
const none = generateKeyPairSync('rsa', { modulusLength: 2048 })
const noParameters = {
  algorithm,
  token: Buffer.from('no token'),
  publicKey: none.publicKey.export({ type: 'spki', format: 'der' }),
  validTo: new Date(0),
} as const

let names = 0

const listIn = (lists: Map<string, string[]>, place: string): string[] => {
  const list = lists.get(place) ?? []
  lists.set(place, list)
  return list
}

/** Uses the key's last proof. */
const again: Ask = ({ key, kms, KeyId }) => key.proofs.at(-1)?.again(kms, KeyId)

async function createAlias({ key, place, kms }: Asked, TargetKeyId: string): Promise<string> {
  const AliasName = `alias/of-${(names += 1)}`
  await kms.send(new sdk.CreateAliasCommand({ AliasName, TargetKeyId }))
  if (TargetKeyId === key.keyId) listIn(key.aliases, place).push(AliasName)
  return AliasName
}

/** Uses the key's last alias; undefined if it has none. */
function ofAlias(act: (name: string, asked: Asked) => Promise<unknown>): Ask {
  return (asked) => {
    const list = listIn(asked.key.aliases, asked.place)
    const name = list.at(-1)
    return name === undefined ? undefined : act(name, asked).then(() => list.pop())
  }
}

function ofGrant(act: (GrantId: string, asked: Asked) => Promise<unknown>): Ask {
  return (asked) => {
    const list = listIn(asked.key.grants, asked.place)
    const id = list.at(-1)
    return id === undefined ? undefined : act(id, asked).then(() => list.pop())
  }
}

async function sealedBy({ kms, KeyId }: Pick<Asked, 'kms' | 'KeyId'>): Promise<Uint8Array> {
  const { CiphertextBlob } = await kms.send(new sdk.EncryptCommand({ KeyId, Plaintext }))
  return CiphertextBlob ?? assert.fail('nothing was sealed')
}

const grants: Readonly<Record<string, Ask>> = {
  async CreateGrant({ key, place, kms, KeyId }) {
    const GranteePrincipal = `arn:aws:iam::${accountId}:root`
    const { GrantId = '' } = await kms.send(
      new sdk.CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['DescribeKey'] }),
    )
    listIn(key.grants, place).push(GrantId)
  },
  RevokeGrant: ofGrant((GrantId, { kms, KeyId }) =>
    kms.send(new sdk.RevokeGrantCommand({ KeyId, GrantId })),
  ),
  RetireGrant: ofGrant((GrantId, { kms, place, KeyId: id }) => {
    const KeyId = `arn:aws:kms:${place}:${accountId}:key/${id}`
    return kms.send(new sdk.RetireGrantCommand({ KeyId, GrantId }))
  }),
}

const aliases: Readonly<Record<string, Ask>> = {
  CreateAlias: (asked) => createAlias(asked, asked.KeyId),
  async UpdateAlias(asked) {
    const { key, place, kms, KeyId } = asked
    const AliasName = await createAlias(asked, await key.spare(place))
    await kms.send(new sdk.UpdateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    listIn(key.aliases, place).push(AliasName)
  },
  'UpdateAlias away': ofAlias(async (AliasName, { key, place, kms }) => {
    const TargetKeyId = await key.spare(place)
    await kms.send(new sdk.UpdateAliasCommand({ AliasName, TargetKeyId }))
  }),
  DeleteAlias: ofAlias((AliasName, { kms }) => kms.send(new sdk.DeleteAliasCommand({ AliasName }))),
}

const settings: Readonly<Record<string, Ask>> = {
  EnableKey: ({ kms, KeyId }) => kms.send(new sdk.EnableKeyCommand({ KeyId })),
  DisableKey: ({ kms, KeyId }) => kms.send(new sdk.DisableKeyCommand({ KeyId })),
  ScheduleKeyDeletion: ({ kms, KeyId, days: PendingWindowInDays }) =>
    kms.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays })),
  CancelKeyDeletion: ({ kms, KeyId }) => kms.send(new sdk.CancelKeyDeletionCommand({ KeyId })),
  EnableKeyRotation: ({ kms, KeyId, days: RotationPeriodInDays }) =>
    kms.send(new sdk.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays })),
  DisableKeyRotation: ({ kms, KeyId }) => kms.send(new sdk.DisableKeyRotationCommand({ KeyId })),
  RotateKeyOnDemand: ({ kms, KeyId }) => kms.send(new sdk.RotateKeyOnDemandCommand({ KeyId })),
  ReplicateKey: ({ kms, KeyId, to: ReplicaRegion }) =>
    kms.send(new sdk.ReplicateKeyCommand({ KeyId, ReplicaRegion })),
  UpdatePrimaryRegion: ({ kms, KeyId, to: PrimaryRegion }) =>
    kms.send(new sdk.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion })),
  TagResource: ({ kms, KeyId }) =>
    kms.send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
  UntagResource: ({ kms, KeyId }) =>
    kms.send(new sdk.UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  UpdateKeyDescription: ({ kms, KeyId }) =>
    kms.send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: 'another' })),
  async PutKeyPolicy({ kms, KeyId }) {
    const { Policy } = await kms.send(new sdk.GetKeyPolicyCommand({ KeyId }))
    await kms.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy: Policy?.trim() }))
  },
}

const imports: Readonly<Record<string, Ask>> = {
  GetParametersForImport: ({ key, place }) => askParameters(key, place),
  async ImportKeyMaterial({ key, place, now, ...given }) {
    const by = await freshParameters(key, place, now).catch(() => noParameters)
    await sendMaterial(key, place, given, by)
  },
  DeleteImportedKeyMaterial({ key, kms, KeyId, material }) {
    const known = material === undefined ? undefined : key.materialIds.get(material)
    const unknown = material === undefined ? undefined : '0'.repeat(64)
    const KeyMaterialId = known ?? unknown
    return kms.send(new sdk.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId }))
  },
}

const readers: Readonly<Record<string, Ask>> = {
  DescribeKey: ({ kms, KeyId }) => kms.send(new sdk.DescribeKeyCommand({ KeyId })),
  GetKeyPolicy: ({ kms, KeyId }) => kms.send(new sdk.GetKeyPolicyCommand({ KeyId })),
  GetPublicKey: ({ kms, KeyId }) => kms.send(new sdk.GetPublicKeyCommand({ KeyId })),
  GetKeyRotationStatus: ({ kms, KeyId }) =>
    kms.send(new sdk.GetKeyRotationStatusCommand({ KeyId })),
  GetKeyLastUsage: ({ kms, KeyId }) => kms.send(new sdk.GetKeyLastUsageCommand({ KeyId })),
  ListKeyRotations: ({ kms, KeyId }) => kms.send(new sdk.ListKeyRotationsCommand({ KeyId })),
  ListKeyPolicies: ({ kms, KeyId }) => kms.send(new sdk.ListKeyPoliciesCommand({ KeyId })),
  ListAliases: ({ kms, KeyId }) => kms.send(new sdk.ListAliasesCommand({ KeyId })),
  ListGrants: ({ kms, KeyId }) => kms.send(new sdk.ListGrantsCommand({ KeyId })),
  ListResourceTags: ({ kms, KeyId }) => kms.send(new sdk.ListResourceTagsCommand({ KeyId })),
}

const KeySpec = 'AES_256'
const KeyPairSpec = 'ECC_NIST_P256'
const cryptography: Readonly<Record<string, Ask>> = {
  Encrypt({ key, kms, KeyId }) {
    const bare = key.kind.spec.startsWith('RSA')
    const EncryptionAlgorithm = bare ? algorithm : 'SYMMETRIC_DEFAULT'
    return kms.send(new sdk.EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm }))
  },
  Decrypt: again,
  'ReEncrypt from'({ key, place, kms, KeyId: SourceKeyId }) {
    const { sealed } = key.proofs.at(-1) ?? {}
    if (sealed === undefined) return undefined
    const { blob: CiphertextBlob, context: SourceEncryptionContext } = sealed
    const given = { CiphertextBlob, SourceEncryptionContext, SourceKeyId }
    return key
      .spare(place)
      .then((DestinationKeyId) =>
        kms.send(new sdk.ReEncryptCommand({ ...given, DestinationKeyId })),
      )
  },
  async 'ReEncrypt to'({ key, place, kms, KeyId: DestinationKeyId }) {
    const CiphertextBlob = await sealedBy({ kms, KeyId: await key.spare(place) })
    await kms.send(new sdk.ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
  },
  GenerateDataKey: ({ kms, KeyId }) => kms.send(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec })),
  GenerateDataKeyWithoutPlaintext: ({ kms, KeyId }) =>
    kms.send(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec })),
  GenerateDataKeyPair: ({ kms, KeyId }) =>
    kms.send(new sdk.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec })),
  GenerateDataKeyPairWithoutPlaintext: ({ kms, KeyId }) =>
    kms.send(new sdk.GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec })),
  Sign({ key, kms, KeyId }) {
    const SigningAlgorithm = signingAlgorithms[key.kind.spec] ?? 'ECDSA_SHA_256'
    return kms.send(new sdk.SignCommand({ KeyId, Message, SigningAlgorithm }))
  },
  Verify: again,
  GenerateMac({ key, kms, KeyId }) {
    const hmac = key.kind.spec.startsWith('HMAC')
    const MacAlgorithm = hmac ? macAlgorithm(key.kind.spec) : 'HMAC_SHA_256'
    return kms.send(new sdk.GenerateMacCommand({ KeyId, Message, MacAlgorithm }))
  },
  VerifyMac: again,
  DeriveSharedSecret: ({ kms, KeyId }) =>
    kms.send(
      new sdk.DeriveSharedSecretCommand({ KeyId, PublicKey, KeyAgreementAlgorithm: 'ECDH' }),
    ),
  Encapsulate: ({ kms, KeyId }) =>
    kms.send(new sdk.EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM' })),
  Decapsulate: again,
}

const asks: Readonly<Record<string, Ask>> = {
  ...grants,
  ...aliases,
  ...settings,
  ...imports,
  ...readers,
  ...cryptography,
}

/** Makes a call on a key. Undefined if a needed alias or grant does not exist. */
export function ask(
  key: LivingKey,
  name: string,
  place: string,
  now: number,
  given: Given = {},
): Promise<unknown> | undefined {
  const kms = key.client(place)
  const act = asks[name] ?? assert.fail(`nobody asks ${name}`)
  return act({ ...given, key, place, kms, KeyId: key.keyId, now })
}
