/** The guides' worked examples of conditions: aliases, tags, services, against real calls. */
import { test } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { delegating, encrypt, policy, refused } from './guides.ts'
import { openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'

test('aliases: the alias that a request used, and the aliases that a key has', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const { kms } = root
  const { keyId: KeyId } = await makeKey(kms)
  const { keyId: other } = await makeKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/project-alpha', TargetKeyId: KeyId }))
  const alpha = await newUser('alpha-developer', {
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
    Condition: { StringLike: { 'kms:RequestAlias': 'alias/*alpha*' } },
  })
  await alpha.kms.send(new DescribeKeyCommand({ KeyId: 'alias/project-alpha' }))
  await refused(alpha.kms.send(new DescribeKeyCommand({ KeyId })))
  const restricted = await newUser('restricted', {
    Action: ['kms:EnableKeyRotation', 'kms:DisableKeyRotation', 'kms:GetKeyRotationStatus'],
    Resource: ['arn:aws:kms:*:111122223333:key/*', 'arn:aws:kms:*:444455556666:key/*'],
    Condition: { 'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/restricted*' } },
  })
  const rotate = (id: string): Promise<unknown> =>
    restricted.kms.send(new EnableKeyRotationCommand({ KeyId: id }))
  await refused(rotate(KeyId))
  await kms.send(
    new CreateAliasCommand({ AliasName: 'alias/restricted-project', TargetKeyId: KeyId }),
  )
  // By whichever name: the aliases are the key's, not the request's.
  await rotate(KeyId)
  await refused(rotate(other))
  // A deny that speaks of them holds for keys that have them, from the next call on.
  const guarded = await newUser('guarded', { Action: 'kms:*' })
  const deny = { Effect: 'Deny', Principal: { AWS: guarded.arn }, Action: 'kms:Encrypt' }
  const Condition = {
    'ForAnyValue:StringEquals': { 'kms:ResourceAliases': ['alias/restricted-project'] },
  }
  for (const id of [KeyId, other]) {
    await kms.send(
      new PutKeyPolicyCommand({ KeyId: id, Policy: policy(delegating, { ...deny, Condition }) }),
    )
  }
  await refused(encrypt(guarded.kms, KeyId), /with an explicit deny in a resource-based policy/)
  await encrypt(guarded.kms, other)
  const AliasName = 'alias/restricted-project'
  await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other }))
  await encrypt(guarded.kms, KeyId)
  await refused(encrypt(guarded.kms, other), /with an explicit deny in a resource-based policy/)
  await refused(rotate(KeyId))
  await kms.send(new DeleteAliasCommand({ AliasName }))
  await encrypt(guarded.kms, other)
  await refused(rotate(other))
})

test('tags: a project’s keys, and no use of reserved keys or of keys without the tag', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const { keyId: KeyId } = await makeKey(root.kms)
  const tag = (TagKey: string, TagValue: string): Promise<unknown> =>
    root.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey, TagValue }] }))
  const alpha = await newUser('alpha', {
    Action: ['kms:GenerateDataKeyWithoutPlaintext', 'kms:GenerateDataKey', 'kms:Decrypt'],
    Condition: { StringEquals: { 'aws:ResourceTag/Project': 'Alpha' } },
  })
  const dataKey = (): Promise<unknown> =>
    alpha.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  await refused(dataKey())
  await tag('Project', 'Alpha')
  await dataKey()
  const operations = ['kms:Encrypt', 'kms:GenerateDataKey*', 'kms:Decrypt', 'kms:ReEncrypt*']
  const { PutUserPolicyCommand } = await import('@aws-sdk/client-iam')
  const user = await newUser('operator')
  const PolicyDocument = policy(
    { Sid: 'IAMAllowCryptographicOperations', Action: operations },
    {
      Sid: 'IAMDenyOnTag',
      Effect: 'Deny',
      Action: operations,
      Condition: { StringEquals: { 'aws:ResourceTag/Type': 'Reserved' } },
    },
    {
      Sid: 'IAMDenyNoTag',
      Effect: 'Deny',
      Action: operations,
      Condition: { Null: { 'aws:ResourceTag/Type': 'true' } },
    },
  )
  await root.iam.send(
    new PutUserPolicyCommand({ UserName: 'operator', PolicyName: 'abac', PolicyDocument }),
  )
  const byDeny = /with an explicit deny in an identity-based policy/
  await refused(encrypt(user.kms, KeyId), byDeny)
  await tag('Type', 'Reserved')
  await refused(encrypt(user.kms, KeyId), byDeny)
  await tag('Type', 'Open')
  await encrypt(user.kms, KeyId)
})

test('Amazon Location and CloudTrail: what a service may is given to no direct caller', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const team = await newUser('LocationTeam')
  const { arn: KeyId } = await makeKey(root.kms, {
    Policy: policy(
      delegating,
      {
        Sid: 'Allow Amazon Location to create grants on behalf of authorized users',
        Principal: { AWS: team.arn },
        Action: 'kms:CreateGrant',
        Condition: {
          StringEquals: {
            'kms:ViaService': 'geo.us-west-2.amazonaws.com',
            'kms:CallerAccount': accountId,
            'kms:EncryptionContext:aws:geo:arn': `arn:aws:geo:us-west-2:${accountId}:tracker/SAMPLE-Tracker`,
          },
        },
      },
      {
        Sid: 'Allow CloudTrail to encrypt logs',
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action: 'kms:GenerateDataKey',
        Condition: {
          ArnEquals: {
            'aws:SourceArn': [`arn:aws:cloudtrail:us-west-2:${accountId}:trail/finance`],
          },
          StringLike: {
            'kms:EncryptionContext:aws:cloudtrail:arn': [
              `arn:aws:cloudtrail:*:${accountId}:trail/*`,
            ],
          },
        },
      },
    ),
  })
  const grant = new CreateGrantCommand({
    KeyId,
    GranteePrincipal: team.arn,
    Operations: ['Decrypt'],
    Constraints: {
      EncryptionContextEquals: {
        'aws:geo:arn': `arn:aws:geo:us-west-2:${accountId}:tracker/SAMPLE-Tracker`,
      },
    },
  })
  await refused(team.kms.send(grant))
  const dataKey = new GenerateDataKeyCommand({
    KeyId,
    KeySpec: 'AES_256',
    EncryptionContext: {
      'aws:cloudtrail:arn': `arn:aws:cloudtrail:us-west-2:${accountId}:trail/finance`,
    },
  })
  await refused(team.kms.send(dataKey))
  const { CiphertextBlob } = await root.kms.send(dataKey)
  await refused(
    team.kms.send(new DecryptCommand({ CiphertextBlob })),
    /does not exist|not allowed|not authorized/,
  )
})
