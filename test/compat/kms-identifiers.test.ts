/**
 * Every form of key and alias identifier, for the operations that take it and for those that do
 * not.
 * @module
 */
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
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const prefix = `arn:aws:kms:${region}:${accountId}`
const unknown = '00000000-1111-4222-8333-444444444444'
let key: MadeKey
let sealed: Uint8Array
let policy: string

before(async () => {
  key = await makeKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/known', TargetKeyId: key.keyId }))
  const plaintext = { KeyId: key.keyId, Plaintext: Buffer.from('x') }
  sealed = (await kms.send(new EncryptCommand(plaintext))).CiphertextBlob ?? Buffer.alloc(0)
  policy = (await kms.send(new GetKeyPolicyCommand({ KeyId: key.keyId }))).Policy ?? ''
})

type Run = (KeyId: string) => Promise<unknown>

const takeAliases: Readonly<Record<string, Run>> = {
  DescribeKey: (KeyId) => kms.send(new DescribeKeyCommand({ KeyId })),
  Encrypt: (KeyId) => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
  Decrypt: (KeyId) => kms.send(new DecryptCommand({ KeyId, CiphertextBlob: sealed })),
  ReEncrypt: (KeyId) =>
    kms.send(new ReEncryptCommand({ DestinationKeyId: KeyId, CiphertextBlob: sealed })),
  'ReEncrypt, its source': (KeyId) =>
    kms.send(
      new ReEncryptCommand({
        SourceKeyId: KeyId,
        DestinationKeyId: key.keyId,
        CiphertextBlob: sealed,
      }),
    ),
  GenerateDataKey: (KeyId) => kms.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 1 })),
  GenerateDataKeyWithoutPlaintext: (KeyId) =>
    kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1 })),
}

const takeKeysAlone: Readonly<Record<string, Run>> = {
  DisableKey: (KeyId) => kms.send(new DisableKeyCommand({ KeyId })),
  UpdateKeyDescription: (KeyId) =>
    kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: '' })),
  ScheduleKeyDeletion: (KeyId) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  CancelKeyDeletion: (KeyId) => kms.send(new CancelKeyDeletionCommand({ KeyId })),
  EnableKey: (KeyId) => kms.send(new EnableKeyCommand({ KeyId })),
  GetKeyPolicy: (KeyId) => kms.send(new GetKeyPolicyCommand({ KeyId })),
  PutKeyPolicy: (KeyId) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy })),
  ListKeyPolicies: (KeyId) => kms.send(new ListKeyPoliciesCommand({ KeyId })),
  TagResource: (KeyId) =>
    kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: '' }] })),
  UntagResource: (KeyId) => kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  ListResourceTags: (KeyId) => kms.send(new ListResourceTagsCommand({ KeyId })),
  ListAliases: (KeyId) => kms.send(new ListAliasesCommand({ KeyId })),
}

test('operations that use a key take its id, its ARN, an alias and the ARN of one', async () => {
  for (const run of Object.values(takeAliases)) {
    for (const form of [key.keyId, key.arn, 'alias/known', `${prefix}:alias/known`]) await run(form)
  }
})

test('operations that manage a key take its id and its ARN', async () => {
  for (const form of ['keyId', 'arn'] as const) {
    for (const run of Object.values(takeKeysAlone)) await run(key[form])
  }
})

for (const [name, run] of Object.entries(takeKeysAlone)) {
  test(`${name} takes no alias, whether there is one or not`, async () => {
    for (const alias of ['known', 'unknown', 'aws/s3']) {
      for (const form of [`alias/${alias}`, `${prefix}:alias/${alias}`]) {
        await refused(
          run(form),
          'InvalidArnException',
          'Key Aliases are not supported for this operation.',
        )
      }
    }
  })
}

/** What names no key, and what AWS says of it. */
const namingNothing: readonly (readonly [string, string, string])[] = [
  [unknown, 'NotFoundException', `Key '${prefix}:key/${unknown}' does not exist`],
  [
    `${prefix}:key/${unknown}`,
    'NotFoundException',
    `Key '${prefix}:key/${unknown}' does not exist`,
  ],
  [
    'mrk-0123456789abcdef0123456789abcdef',
    'NotFoundException',
    `Key '${prefix}:key/mrk-0123456789abcdef0123456789abcdef' does not exist`,
  ],
  ['fake-key-id', 'NotFoundException', "Invalid keyId 'fake-key-id'"],
  [
    unknown.replaceAll('-', ''),
    'NotFoundException',
    `Invalid keyId '${unknown.replaceAll('-', '')}'`,
  ],
  ['mrk-fake-key-id', 'NotFoundException', "Invalid keyId 'mrk-fake-key-id'"],
  [`${prefix}:key/foo`, 'NotFoundException', 'Invalid keyId foo'],
  [
    `arn:aws:kms:eu-west-1:${accountId}:key/${unknown}`,
    'NotFoundException',
    'Invalid arn eu-west-1',
  ],
]

const aliasesNamingNothing: readonly (readonly [string, string, string])[] = [
  ['alias/x', 'NotFoundException', `Alias ${prefix}:alias/x is not found.`],
  [`${prefix}:alias/x`, 'NotFoundException', `Alias ${prefix}:alias/x is not found.`],
  ['alias/aws/none', 'NotFoundException', `Alias ${prefix}:alias/aws/none is not found.`],
  [`arn:aws:kms:eu-west-1:${accountId}:alias/x`, 'NotFoundException', 'Invalid arn eu-west-1'],
]

for (const [name, run] of Object.entries({ ...takeKeysAlone, ...takeAliases })) {
  test(`${name} says of what names no key what AWS says`, async () => {
    for (const [form, code, message] of namingNothing) await refused(run(form), code, message)
    for (const [form, code, message] of name in takeAliases ? aliasesNamingNothing : []) {
      await refused(run(form), code, message)
    }
  })
}

test('an ARN that is none of this service, partition or of any account is invalid', async () => {
  const { keyId } = key
  for (const form of [
    'arn:',
    'arn:aws:kms',
    `arn:aws:s3:${region}:${accountId}:key/${keyId}`,
    `arn:aws-cn:kms:${region}:${accountId}:key/${keyId}`,
    `arn:aws:kms:${region}::key/${keyId}`,
    `arn:aws:kms:${region}:999:key/${keyId}`,
    `arn:aws:kms:${region}:${accountId}/${region}:key/${keyId}`,
    `arn:aws:kms:${region}:${accountId}/${region}:alias/known`,
  ]) {
    const call = kms.send(new DescribeKeyCommand({ KeyId: form }))
    await refused(call, 'InvalidArnException', `Invalid arn ${form}`)
  }
})

test('an empty, missing, overlong or non-ASCII identifier fails validation', async () => {
  const pattern = 'satisfy regular expression pattern: ^\\p{ASCII}+$'
  const atLeastOne = 'have length greater than or equal to 1'
  for (const [KeyId, ...items] of [
    ['', fails("''", 'keyId', atLeastOne), fails("''", 'keyId', pattern)],
    [undefined, fails('null', 'keyId', 'not be null')],
    ['schlüssel', fails("'schlüssel'", 'keyId', pattern)],
    [
      'k'.repeat(2049),
      fails(`'${'k'.repeat(2049)}'`, 'keyId', 'have length less than or equal to 2048'),
    ],
  ] as const) {
    const call = kms.send(new DescribeKeyCommand({ KeyId }))
    await refused(call, 'ValidationException', validationError(...items))
  }
})

test('the case of a key id is kept in what is said of it, and is part of it', async () => {
  const upper = unknown.replace('4444', 'ABCD')
  await refused(
    kms.send(new DescribeKeyCommand({ KeyId: upper })),
    'NotFoundException',
    `Key '${prefix}:key/${upper}' does not exist`,
  )
  assert.notEqual(key.keyId, key.keyId.toUpperCase())
})
