/** Keys of another account and of another Region: what is shared by policy, and that nothing else is. @module */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { makeKey, refused, type MadeKey } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
/** Owns the keys. */
const owner = server.client()
/** Of the other account. */
const guest = server.otherClient()
const guestArn = `arn:aws:iam::${otherAccountId}:root`
const prefix = `arn:aws:kms:${region}:${accountId}`
const Plaintext = Buffer.from('x')
const sharedActions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncrypt*',
  'kms:GenerateDataKey*',
  'kms:DescribeKey',
]
let closed: MadeKey
let shared: MadeKey
let sealedClosed: Uint8Array
let sealedShared: Uint8Array

function policy(actions: string | readonly string[]): string {
  const allow = (account: string, action: string | readonly string[]): object => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: action,
    Resource: '*',
  })
  const Statement = [allow(accountId, 'kms:*'), allow(otherAccountId, actions)]
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

async function seal(client: typeof owner, KeyId: string): Promise<Uint8Array> {
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
  assert(CiphertextBlob)
  return CiphertextBlob
}

before(async () => {
  closed = await makeKey(owner)
  shared = await makeKey(owner, { Policy: policy(sharedActions) })
  sealedClosed = await seal(owner, closed.keyId)
  sealedShared = await seal(owner, shared.keyId)
  for (const [name, { keyId: TargetKeyId }] of [
    ['closed', closed],
    ['shared', shared],
  ] as const) {
    await owner.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId }))
  }
})

function hidden(action: string): string {
  return (
    `User: ${guestArn} is not authorized to perform: kms:${action} on this resource because the ` +
    'resource does not exist in this Region, no resource-based policies allow access, or a ' +
    'resource-based policy explicitly denies access'
  )
}

const unknownKey =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
  'region, or you are not allowed to access.'

type Run = (KeyId: string, CiphertextBlob: Uint8Array) => Promise<unknown>

const canBeShared: Readonly<Record<string, Run>> = {
  Encrypt: (KeyId) => guest.send(new EncryptCommand({ KeyId, Plaintext })),
  Decrypt: (KeyId, CiphertextBlob) => guest.send(new DecryptCommand({ KeyId, CiphertextBlob })),
  ReEncryptFrom: (KeyId, CiphertextBlob) =>
    guest.send(
      new ReEncryptCommand({ SourceKeyId: KeyId, DestinationKeyId: KeyId, CiphertextBlob }),
    ),
  GenerateDataKey: (KeyId) => guest.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 1 })),
  GenerateDataKeyWithoutPlaintext: (KeyId) =>
    guest.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1 })),
  DescribeKey: (KeyId) => guest.send(new DescribeKeyCommand({ KeyId })),
}

test('a key is used from another account by its ARN, and by its alias’s, as its policy allows', async () => {
  for (const run of Object.values(canBeShared)) {
    await run(shared.arn, sealedShared)
    await run(`${prefix}:alias/shared`, sealedShared)
  }
  const opened = await guest.send(new DecryptCommand({ CiphertextBlob: sealedShared }))
  assert.equal(opened.KeyId, shared.arn)
  const { KeyMetadata } = await guest.send(new DescribeKeyCommand({ KeyId: shared.arn }))
  assert.equal(KeyMetadata?.AWSAccountId, accountId)
})

const nowhere = `${prefix}:key/00000000-1111-4222-8333-444444444444`

for (const [name, run] of Object.entries(canBeShared)) {
  test(`${name}: a key of another account that is not shared is as one that is not there`, async () => {
    for (const arn of [closed.arn, nowhere, `${prefix}:alias/closed`, `${prefix}:alias/nowhere`]) {
      await refused(run(arn, sealedClosed), 'AccessDeniedException', hidden(name))
    }
  })
}

test('a ciphertext of another account’s key says nothing but that it is not for this caller', async () => {
  const decrypt = guest.send(new DecryptCommand({ CiphertextBlob: sealedClosed }))
  await refused(decrypt, 'AccessDeniedException', unknownKey)
  const { keyId: DestinationKeyId } = await makeKey(guest)
  const move = { CiphertextBlob: sealedClosed, DestinationKeyId }
  await refused(guest.send(new ReEncryptCommand(move)), 'AccessDeniedException', unknownKey)
})

test('a ciphertext of another account’s key with a key of one’s own named is of the wrong key', async () => {
  const { keyId: KeyId } = await makeKey(guest)
  await refused(
    guest.send(new DecryptCommand({ CiphertextBlob: sealedClosed, KeyId })),
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
})

const Tags = [{ TagKey: 'a', TagValue: 'b' }]
const Policy = policy('kms:*')
const ownAccountAlone: Readonly<Record<string, (KeyId: string) => Promise<unknown>>> = {
  DisableKey: (KeyId) => guest.send(new DisableKeyCommand({ KeyId })),
  EnableKey: (KeyId) => guest.send(new EnableKeyCommand({ KeyId })),
  ScheduleKeyDeletion: (KeyId) => guest.send(new ScheduleKeyDeletionCommand({ KeyId })),
  CancelKeyDeletion: (KeyId) => guest.send(new CancelKeyDeletionCommand({ KeyId })),
  UpdateKeyDescription: (KeyId) =>
    guest.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
  GetKeyPolicy: (KeyId) => guest.send(new GetKeyPolicyCommand({ KeyId })),
  PutKeyPolicy: (KeyId) => guest.send(new PutKeyPolicyCommand({ KeyId, Policy })),
  ListKeyPolicies: (KeyId) => guest.send(new ListKeyPoliciesCommand({ KeyId })),
  TagResource: (KeyId) => guest.send(new TagResourceCommand({ KeyId, Tags })),
  UntagResource: (KeyId) => guest.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  ListResourceTags: (KeyId) => guest.send(new ListResourceTagsCommand({ KeyId })),
  CreateAlias: (TargetKeyId) =>
    guest.send(new CreateAliasCommand({ AliasName: 'alias/theirs', TargetKeyId })),
}

test('what is for the key’s own account alone stays so, though the policy allows everything', async () => {
  const open = await makeKey(owner, { Policy })
  await guest.send(new DescribeKeyCommand({ KeyId: open.arn }))
  for (const [action, run] of Object.entries(ownAccountAlone)) {
    for (const arn of [open.arn, closed.arn, nowhere]) {
      await refused(run(arn), 'AccessDeniedException', hidden(action))
    }
  }
  const { KeyMetadata } = await owner.send(new DescribeKeyCommand({ KeyId: open.keyId }))
  assert.deepEqual([KeyMetadata?.KeyState, KeyMetadata?.Description], ['Enabled', ''])
})

test('an alias of one’s own account is not led to another account’s key', async () => {
  const { keyId: TargetKeyId } = await makeKey(guest)
  await guest.send(new CreateAliasCommand({ AliasName: 'alias/own', TargetKeyId }))
  const lead = { AliasName: 'alias/own', TargetKeyId: shared.arn }
  const call = guest.send(new UpdateAliasCommand(lead))
  await refused(call, 'AccessDeniedException', hidden('UpdateAlias'))
})

test('accounts list what is theirs, and do not find each other’s by key id or alias', async () => {
  const mine = await guest.send(new ListKeysCommand({ Limit: 1000 }))
  assert(mine.Keys?.every(({ KeyArn }) => KeyArn?.includes(`:${otherAccountId}:`)))
  const aliases = await guest.send(new ListAliasesCommand({ Limit: 100 }))
  assert(aliases.Aliases?.every(({ AliasArn }) => AliasArn?.includes(`:${otherAccountId}:`)))
  const guestPrefix = prefix.replace(accountId, otherAccountId)
  await refused(
    guest.send(new DescribeKeyCommand({ KeyId: shared.keyId })),
    'NotFoundException',
    `Key '${guestPrefix}:key/${shared.keyId}' does not exist`,
  )
  await refused(
    guest.send(new DescribeKeyCommand({ KeyId: 'alias/shared' })),
    'NotFoundException',
    `Alias ${guestPrefix}:alias/shared is not found.`,
  )
  const ofOthers = guest.send(new ListAliasesCommand({ KeyId: shared.arn }))
  await refused(ofOthers, 'NotFoundException', `Key '${shared.arn}' does not exist`)
})

test('a key lives in the Region that its maker signed for, and is found in no other', async () => {
  const abroad = server.client({ region: 'eu-west-1' })
  const there = await makeKey(abroad)
  assert.equal(there.arn, `arn:aws:kms:eu-west-1:${accountId}:key/${there.keyId}`)
  await refused(
    abroad.send(new DescribeKeyCommand({ KeyId: shared.keyId })),
    'NotFoundException',
    `Key 'arn:aws:kms:eu-west-1:${accountId}:key/${shared.keyId}' does not exist`,
  )
  for (const form of [shared.arn, `${prefix}:alias/shared`]) {
    const call = abroad.send(new EncryptCommand({ KeyId: form, Plaintext }))
    await refused(call, 'NotFoundException', `Invalid arn ${region}`)
  }
  const decrypt = abroad.send(new DecryptCommand({ CiphertextBlob: sealedShared }))
  await refused(decrypt, 'AccessDeniedException', unknownKey)
  await refused(
    abroad.send(new DecryptCommand({ CiphertextBlob: sealedShared, KeyId: there.keyId })),
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
  const { Keys } = await abroad.send(new ListKeysCommand({}))
  assert.deepEqual(Keys, [{ KeyId: there.keyId, KeyArn: there.arn }])
})

test('ARNs take the partition of the Region, and one of another partition names nothing', async () => {
  for (const [name, partition] of [
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
  ] as const) {
    const client = server.client({ region: name })
    const { arn, keyId } = await makeKey(client)
    assert.equal(arn, `arn:${partition}:kms:${name}:${accountId}:key/${keyId}`)
    const { Policy: text } = await client.send(new GetKeyPolicyCommand({ KeyId: keyId }))
    assert(text?.includes(`"arn:${partition}:iam::${accountId}:root"`))
    await seal(client, arn)
    const foreign = arn.replace(partition, 'aws')
    const call = client.send(new DescribeKeyCommand({ KeyId: foreign }))
    await refused(call, 'InvalidArnException', `Invalid arn ${foreign}`)
  }
})
