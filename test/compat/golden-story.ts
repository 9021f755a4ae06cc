/**
 * One call of every operation of AWS KMS by a user named Alice, what the clock does to her keys, and some
 * calls of IAM and STS; and their records with what differs from run to run taken out.
 * @module
 */
import { createHmac, generateKeyPairSync } from 'node:crypto'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DeleteCustomKeyStoreCommand,
  DeriveSharedSecretCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateCustomKeyStoreCommand,
  UpdateKeyDescriptionCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
  VerifyMacCommand,
  type CreateKeyCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import type { TestServer } from '../harness.ts'
import { connect, disconnect, makeStore } from './external-store.ts'
import type { Identities, MadeUser } from './identities.ts'
import { importing } from './importing.ts'
import { settled } from './multi-region.ts'
import { rotating } from './rotating.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { advance } from './test-clock.ts'

const Plaintext = Buffer.from('x')
const EncryptionContext = { Department: 'Engineering' }

/** Tells the story, and returns its records as `firstRecords` does. */
export async function goldenRecords(
  identities: Identities,
): Promise<ReadonlyMap<string, AuditRecord>> {
  const { server, newUser, newRole } = identities
  const alice = await newUser('Alice', { Action: ['kms:*', 'sts:AssumeRole', 'iam:*'] })
  const { kms } = alice
  const make = async (input: CreateKeyCommandInput = {}): Promise<string> =>
    (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.KeyId ?? ''
  const KeyId = await make({ Description: '' })
  await encryption(kms, KeyId, await make())
  await management(kms, KeyId, await make(), alice)
  await pairs(kms, make)
  const { arn: RoleArn } = await newRole('Job', {
    Effect: 'Allow',
    Principal: { AWS: alice.arn },
    Action: 'sts:AssumeRole',
  })
  await alice.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'nightly' }))
  await regions(identities, alice, make)
  await keyStores(identities, kms)
  const imported = await importedKey(kms)
  await rotating(kms).rotate(KeyId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await kms.send(new CancelKeyDeletionCommand({ KeyId }))
  await kms.send(new EnableKeyCommand({ KeyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: imported, PendingWindowInDays: 30 }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await advance(server.url, '8d')
  return firstRecords(server)
}

/** The first record of each event that succeeded, by its name. */
export async function firstRecords({
  directory,
}: Pick<TestServer, 'directory'>): Promise<ReadonlyMap<string, AuditRecord>> {
  const found = new Map<string, AuditRecord>()
  for (const record of await recordsOf(directory)) {
    const name = nameOf(record)
    if (record.errorCode === undefined && !found.has(name)) found.set(name, record)
  }
  return found
}

function nameOf({ eventName, userIdentity, eventType }: AuditRecord): string {
  const invoked = eventType === 'AwsApiCall' && userIdentity['invokedBy'] !== undefined
  return invoked ? `${eventName} (in another Region)` : eventName
}

/** The life of an external key store. */
async function keyStores({ server }: Identities, kms: KMSClient): Promise<void> {
  const world = { server, kms }
  const CustomKeyStoreId = await makeStore(kms)
  await kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }))
  await connect(world, CustomKeyStoreId)
  const NewCustomKeyStoreName = 'renamed'
  await kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName }))
  await disconnect(world, CustomKeyStoreId)
  await kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
}

async function encryption(kms: KMSClient, KeyId: string, other: string): Promise<void> {
  const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  const { CiphertextBlob } = sealed
  await kms.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext }))
  await kms.send(
    new ReEncryptCommand({
      CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      SourceKeyId: KeyId,
      DestinationKeyId: other,
      DestinationEncryptionContext: { Level: '3A' },
    }),
  )
  await kms.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32, EncryptionContext }))
  await kms.send(
    new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
  )
  const pair = { KeyId, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext } as const
  await kms.send(new GenerateDataKeyPairCommand(pair))
  await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(pair))
  await kms.send(new GenerateRandomCommand({ NumberOfBytes: 8 }))
  await kms.send(new GetKeyLastUsageCommand({ KeyId }))
}

async function management(
  kms: KMSClient,
  KeyId: string,
  other: string,
  alice: MadeUser,
): Promise<void> {
  const AliasName = 'alias/my_alias'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
  await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other }))
  await kms.send(new ListAliasesCommand({ Limit: 5 }))
  await kms.send(new DeleteAliasCommand({ AliasName }))
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await kms.send(new ListKeysCommand({}))
  const grant = {
    KeyId,
    GranteePrincipal: alice.arn,
    RetiringPrincipal: alice.arn,
    Operations: ['Encrypt', 'RetireGrant'],
    Constraints: { EncryptionContextSubset: { ContextKey1: 'Value1' } },
  } as const
  const made = await kms.send(
    new CreateGrantCommand({ ...grant, Operations: [...grant.Operations] }),
  )
  await kms.send(new ListGrantsCommand({ KeyId, Limit: 10 }))
  await kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: alice.arn }))
  await kms.send(new RetireGrantCommand({ GrantToken: made.GrantToken }))
  const { GrantId } = await kms.send(
    new CreateGrantCommand({ ...grant, Operations: [...grant.Operations] }),
  )
  await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
  const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))
  await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }))
  await kms.send(new ListKeyPoliciesCommand({ KeyId }))
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'New key description' }))
  const Tags = [{ TagKey: 'Department', TagValue: 'Engineering' }]
  await kms.send(new TagResourceCommand({ KeyId, Tags }))
  await kms.send(new ListResourceTagsCommand({ KeyId }))
  await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['Department'] }))
  await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }))
  await kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  await kms.send(new ListKeyRotationsCommand({ KeyId }))
  await kms.send(new DisableKeyRotationCommand({ KeyId }))
  await kms.send(new DisableKeyCommand({ KeyId }))
  await kms.send(new EnableKeyCommand({ KeyId }))
}

type Make = (input: CreateKeyCommandInput) => Promise<string>

async function pairs(kms: KMSClient, make: Make): Promise<void> {
  const signing = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const signed = { KeyId: signing, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_256' } as const
  const { Signature } = await kms.send(new SignCommand({ ...signed, MessageType: 'RAW' }))
  await kms.send(new VerifyCommand({ ...signed, MessageType: 'RAW', Signature }))
  await kms.send(new GetPublicKeyCommand({ KeyId: signing }))
  const hmac = await make({ KeySpec: 'HMAC_512', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const mac = { KeyId: hmac, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_512' } as const
  const { Mac } = await kms.send(new GenerateMacCommand(mac))
  await kms.send(new VerifyMacCommand({ ...mac, Mac }))
  const agreement = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  const PublicKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
    format: 'der',
    type: 'spki',
  })
  await kms.send(
    new DeriveSharedSecretCommand({ KeyId: agreement, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
  )
  const capsule = await make({ KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  const kem = { KeyId: capsule, EncapsulationAlgorithm: 'ML_KEM' } as const
  const { SharedSecretCiphertextBlob } = await kms.send(new EncapsulateCommand(kem))
  await kms.send(new DecapsulateCommand({ ...kem, SharedSecretCiphertextBlob }))
}

async function regions(
  { server }: Identities,
  { kms, credentials }: MadeUser,
  make: Make,
): Promise<void> {
  const KeyId = await make({ MultiRegion: true })
  const ReplicaRegion = 'eu-west-1'
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
  const there = server.client({ credentials, region: ReplicaRegion })
  await settled(there, KeyId)
  await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: ReplicaRegion }))
  await settled(kms, KeyId)
  await settled(there, KeyId)
  await rotating(there).rotate(KeyId)
  await settled(kms, KeyId)
}

async function importedKey(kms: KMSClient): Promise<string> {
  const { makeExternal, parameters, send, take } = importing(kms)
  const KeyId = await makeExternal()
  const material = createHmac('sha256', 'golden').digest()
  const ValidTo = new Date(Date.now() + 2 * 86_400_000)
  await send(KeyId, material, await parameters(KeyId), {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo,
  })
  await take(KeyId)
  await send(KeyId, material, await parameters(KeyId), {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo,
  })
  return KeyId
}

const patterns: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['id', /(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})/g],
  ['hash', /\b[0-9a-f]{64}\b/g],
  // Dates of keys and sessions, before the times of records: these may be of the same second or not.
  ['date', /(?<="(?:\w+Date|expiration|validTo)":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g],
  ['time', /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g],
  ['principal', /\bA(IDA|ROA)[A-Z0-9]{10,}/g],
  ['request', /(?<="ExtendedRequestId":")[\w+/=]+/g],
  ['access-key', /\bA(KIA|SIA)[A-Z0-9]{10,}/g],
  ['key-store', /cks-[0-9a-f]{17}/g],
]

/** A record without what differs from run to run: things that are the same have the same name in it. */
export function normalized(record: object): object {
  let text = JSON.stringify({ ...withoutChange(record), userAgent: '<agent>' })
  // A token is packed: its length hangs on the random secret in it.
  text = text.replaceAll(/("sessionToken(?:Size|Utilization)":)\d+/g, '$1"<size>"')
  for (const [what, pattern] of patterns) {
    const names = new Map<string, string>()
    text = text.replace(pattern, (found) => {
      const name = names.get(found) ?? `<${what} ${names.size + 1}>`
      names.set(found, name)
      return name
    })
  }
  return JSON.parse(text) as object
}

/** The number of a record's change hangs on what the server did before, and its id is random. */
function withoutChange(record: {
  readonly trent?: { readonly change?: number; readonly changeId?: string }
}): object {
  const { trent, ...others } = record
  const { change, changeId: _, ...told } = trent ?? {}
  if (change === undefined) return record
  return Object.keys(told).length === 0 ? others : { ...others, trent: told }
}
