/** Of two things that are wrong with a call, AWS names the first: which one that is. @module */
import { after, before, test } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const root = `arn:aws:iam::${accountId}:root`
const unknown = '00000000-1111-4222-8333-444444444444'
const unknownArn = `arn:aws:kms:${region}:${accountId}:key/${unknown}`
const Plaintext = Buffer.from('x')
let enabled: MadeKey
let disabled: MadeKey
let denying: MadeKey
let sealedEnabled: Uint8Array
let sealedDisabled: Uint8Array

/** A key on which nothing but its administration is allowed. */
const denyAll = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
    {
      Effect: 'Deny',
      Principal: '*',
      NotAction: ['kms:PutKeyPolicy', 'kms:DisableKey', 'kms:Encrypt'],
      Resource: '*',
    },
  ],
})

async function seal(KeyId: string): Promise<Uint8Array> {
  return (await kms.send(new EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob ?? Plaintext
}

before(async () => {
  enabled = await makeKey(kms)
  disabled = await makeKey(kms)
  denying = await makeKey(kms, { Policy: denyAll })
  sealedEnabled = await seal(enabled.keyId)
  sealedDisabled = await seal(disabled.keyId)
  for (const { keyId: KeyId } of [disabled, denying]) {
    await kms.send(new DisableKeyCommand({ KeyId }))
  }
})

const incorrectKey =
  'The key ID in the request does not identify a CMK that can perform this operation.'

function denied(action: string): string {
  return (
    `User: ${root} is not authorized to perform: kms:${action} on resource: ${denying.arn} ` +
    'with an explicit deny in a resource-based policy'
  )
}

test('validation comes before the key is looked up, and says all that is wrong at once', async () => {
  await refused(
    kms.send(new EncryptCommand({ KeyId: unknown, Plaintext: Buffer.alloc(4097) })),
    'ValidationException',
    validationError(fails('', 'plaintext', 'have length less than or equal to 4096')),
  )
  await refused(
    kms.send(new EncryptCommand({ KeyId: undefined, Plaintext: undefined })),
    'ValidationException',
    validationError(fails('null', 'keyId', 'not be null'), fails('', 'plaintext', 'not be null')),
  )
})

test('validation comes before an alias is refused, and that before the key is looked up', async () => {
  const call = (KeyId: string, Limit: number): Promise<object> =>
    kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'k'.repeat(Limit), TagValue: '' }] }))
  const long = 'k'.repeat(129)
  await refused(
    call('alias/nowhere', 129),
    'ValidationException',
    validationError(
      fails(`'${long}'`, 'tags.1.member.tagKey', 'have length less than or equal to 128'),
    ),
  )
  await refused(
    call('alias/nowhere', 1),
    'InvalidArnException',
    'Key Aliases are not supported for this operation.',
  )
})

test('what needs no key is checked before the key: the size of a data key, an alias’s name', async () => {
  await refused(
    kms.send(new GenerateDataKeyCommand({ KeyId: unknown })),
    'ValidationException',
    'Please specify either number of bytes or key spec.',
  )
  await refused(
    kms.send(new CreateAliasCommand({ AliasName: 'alias/aws/x', TargetKeyId: unknown })),
    'NotAuthorizedException',
  )
})

test('a key that is not there comes before everything that is asked of it', async () => {
  await refused(
    kms.send(new DecryptCommand({ KeyId: unknown, CiphertextBlob: Buffer.from('no blob') })),
    'NotFoundException',
    `Key '${unknownArn}' does not exist`,
  )
})

test('permission comes before state, and before a ciphertext of another key', async () => {
  await refused(
    kms.send(new GenerateDataKeyCommand({ KeyId: denying.keyId, NumberOfBytes: 1 })),
    'AccessDeniedException',
    denied('GenerateDataKey'),
  )
  await refused(
    kms.send(new DecryptCommand({ KeyId: denying.keyId, CiphertextBlob: sealedEnabled })),
    'AccessDeniedException',
    denied('Decrypt'),
  )
  await refused(
    kms.send(new DescribeKeyCommand({ KeyId: denying.keyId })),
    'AccessDeniedException',
    denied('DescribeKey'),
  )
})

test('a ciphertext of another key comes before the state of the one that is named', async () => {
  await refused(
    kms.send(new DecryptCommand({ KeyId: disabled.keyId, CiphertextBlob: sealedEnabled })),
    'IncorrectKeyException',
    incorrectKey,
  )
  const move = { SourceKeyId: disabled.keyId, DestinationKeyId: disabled.keyId }
  await refused(
    kms.send(new ReEncryptCommand({ ...move, CiphertextBlob: sealedEnabled })),
    'IncorrectKeyException',
    incorrectKey,
  )
})

test('a ciphertext of another key comes before the usage of the one that is named', async () => {
  const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(hmac))
  const { KeyId, Arn } = KeyMetadata ?? {}
  await refused(
    kms.send(new DecryptCommand({ KeyId, CiphertextBlob: sealedEnabled })),
    'IncorrectKeyException',
    incorrectKey,
  )
  // What no key of this usage, and no other, can have made says nothing of another key.
  await refused(
    kms.send(new DecryptCommand({ KeyId, CiphertextBlob: Plaintext })),
    'InvalidKeyUsageException',
    `${Arn} key usage is GENERATE_VERIFY_MAC which is not valid for Decrypt.`,
  )
})

test('state comes before the algorithm, the context and what the ciphertext holds', async () => {
  const message = `${disabled.arn} is disabled.`
  const spoilt = Buffer.from(sealedDisabled)
  spoilt.writeUInt8(spoilt.readUInt8(spoilt.length - 1) ^ 1, spoilt.length - 1)
  for (const call of [
    new EncryptCommand({
      KeyId: disabled.keyId,
      Plaintext,
      EncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    }),
    new DecryptCommand({ CiphertextBlob: spoilt }),
    new DecryptCommand({ CiphertextBlob: sealedDisabled, EncryptionContext: { a: 'b' } }),
  ]) {
    await refused(kms.send(call as DecryptCommand), 'DisabledException', message)
  }
})

test('ReEncrypt checks its source before its destination', async () => {
  const unknownDestination = { CiphertextBlob: sealedDisabled, DestinationKeyId: unknown }
  await refused(
    kms.send(new ReEncryptCommand(unknownDestination)),
    'NotFoundException',
    `Key '${unknownArn}' does not exist`,
  )
  const both = { CiphertextBlob: sealedDisabled, DestinationKeyId: disabled.keyId }
  await refused(
    kms.send(new ReEncryptCommand(both)),
    'DisabledException',
    `${disabled.arn} is disabled.`,
  )
})

test('an alias that is taken is told after the state of its target', async () => {
  const dying = await makeKey(kms)
  const AliasName = 'alias/taken'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: enabled.keyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying.keyId }))
  await refused(
    kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: dying.keyId })),
    'KMSInvalidStateException',
    `${dying.arn} is pending deletion.`,
  )
})

test('a dry run comes last', async () => {
  const DryRun = true
  await refused(
    kms.send(new EncryptCommand({ KeyId: disabled.keyId, Plaintext, DryRun })),
    'DisabledException',
    `${disabled.arn} is disabled.`,
  )
  await refused(
    kms.send(
      new DecryptCommand({ CiphertextBlob: sealedEnabled, EncryptionContext: { a: 'b' }, DryRun }),
    ),
    'InvalidCiphertextException',
  )
})

test('the name of a policy is checked before the policy', async () => {
  const PolicyName = 'other'
  await refused(
    kms.send(new PutKeyPolicyCommand({ KeyId: enabled.keyId, PolicyName, Policy: '{' })),
    'NotFoundException',
    'No such policy exists',
  )
})
