/** Keys that AWS manages: made when they are asked for, used through their service, and changed by nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  type AliasListEntry,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { managedAliases } from '../../src/model/managed-key.ts'
import { accountId, region } from '../harness.ts'
import { denied, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'
import { advance } from './test-clock.ts'

const ebs = 'alias/aws/ebs'

async function aliasesOf(kms: KMSClient, Limit = 100): Promise<readonly AliasListEntry[]> {
  const found: AliasListEntry[] = []
  let Marker: string | undefined
  do {
    const page = await kms.send(new ListAliasesCommand({ Limit, Marker }))
    found.push(...(page.Aliases ?? []))
    Marker = page.NextMarker
  } while (Marker !== undefined)
  return found
}

test('DescribeKey of its alias makes the key, once, with the policy that AWS gives it', async (t) => {
  const { root, server } = await openIdentities(t)
  const describe = new DescribeKeyCommand({ KeyId: ebs })
  const all = await Promise.all([1, 2, 3, 4].map(() => root.kms.send(describe)))
  const [KeyId, ...others] = new Set(all.map(({ KeyMetadata }) => KeyMetadata?.Arn))
  assert.deepEqual(others, [])
  const { CreationDate, Arn, KeyId: _, CurrentKeyMaterialId, ...told } = all[0]?.KeyMetadata ?? {}
  assert(CreationDate && Arn && CurrentKeyMaterialId)
  assert.deepEqual(told, {
    AWSAccountId: accountId,
    Enabled: true,
    Description: 'Default key that protects my EBS volumes when no other key is defined',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Enabled',
    Origin: 'AWS_KMS',
    KeyManager: 'AWS',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  })
  const { Policy } = await root.kms.send(new GetKeyPolicyCommand({ KeyId }))
  assert.equal(
    Policy,
    `{
  "Version" : "2012-10-17",
  "Id" : "auto-ebs-2",
  "Statement" : [ {
    "Sid" : "Allow access through EBS for all principals in the account that are authorized to use EBS",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "${accountId}",
        "kms:ViaService" : "ec2.${region}.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${accountId}:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`,
  )
  // The key has one record, of the service itself; each call has its own.
  const records = await recordsOf(server.directory)
  const made = records.filter(({ eventName }) => eventName === 'CreateKey')
  assert.deepEqual(
    made.map(({ eventType, userIdentity, resources }) => [eventType, userIdentity, resources]),
    [
      [
        'AwsServiceEvent',
        { accountId, invokedBy: 'AWS Internal' },
        [{ accountId, type: 'AWS::KMS::Key', ARN: Arn }],
      ],
    ],
  )
  const described = records.filter(({ eventName }) => eventName === 'DescribeKey')
  assert.deepEqual(
    described.map(({ resources, requestParameters }) => [resources[0]?.['ARN'], requestParameters]),
    all.map(() => [Arn, { keyId: ebs }]),
  )
})

test('ListAliases has the alias of every service, which points to a key once there is one', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { keyId } = await makeKey(root.kms)
  for (const AliasName of ['alias/aa', 'alias/aws-like', 'alias/b']) {
    await root.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
  }
  await root.kms.send(new DescribeKeyCommand({ KeyId: ebs }))
  const all = await aliasesOf(root.kms)
  const names = all.map(({ AliasName = '' }) => AliasName)
  const expected = ['alias/aa', 'alias/aws-like', 'alias/b', ...managedAliases].toSorted()
  assert.deepEqual(names, expected)
  assert.deepEqual(await aliasesOf(root.kms, 1), all)
  assert.deepEqual(await aliasesOf(root.kms, 7), all)
  for (const { AliasName = '', AliasArn, ...more } of all) {
    assert.equal(AliasArn, `arn:aws:kms:${region}:${accountId}:${AliasName}`)
    const made = AliasName === ebs || !AliasName.startsWith('alias/aws/')
    assert.equal(Object.keys(more).length, made ? 3 : 0, AliasName)
  }
  const target = all.find(({ AliasName }) => AliasName === ebs)?.TargetKeyId
  const one = await root.kms.send(new ListAliasesCommand({ KeyId: target }))
  assert.deepEqual(
    one.Aliases?.map(({ AliasName }) => AliasName),
    [ebs],
  )
  const { Keys } = await root.kms.send(new ListKeysCommand({}))
  assert.deepEqual(new Set(Keys?.map((key) => key.KeyId)), new Set([keyId, target]))
})

test('a key is made by the first call through its service, and by nobody who may not use it', async (t) => {
  const services = await openServices(t)
  const { root, server } = services
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const nobody = await services.newUser('nobody')
  const s3 = await services.register('s3.amazonaws.com')
  const ec2 = await services.register('ec2.amazonaws.com')
  const KeyId = 'alias/aws/s3'
  const make = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })
  const notFound = `Alias arn:aws:kms:${region}:${accountId}:${KeyId} is not found.`
  const absent = (call: Promise<unknown>): Promise<void> =>
    denied(call, 'NotFoundException', 400, notFound)
  // Neither directly, nor through another service, nor by an alias of no service, nor as a trial.
  await absent(alice.kms.send(make))
  await absent(root.kms.send(make))
  await absent((await ec2.kmsFor(alice)).send(make))
  await absent(nobody.kms.send(new DescribeKeyCommand({ KeyId })))
  await denied(
    root.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/none' })),
    'NotFoundException',
    400,
    /is not found\.$/,
  )
  const through = await s3.kmsFor(alice)
  const trial = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', DryRun: true })
  await denied(through.send(trial), 'DryRunOperationException', 400, /would have succeeded/)
  assert.equal((await root.kms.send(new ListKeysCommand({}))).Keys?.length, 0)
  const made = await through.send(make)
  assert.equal((await root.kms.send(new ListKeysCommand({}))).Keys?.length, 1)
  // Its policy gives it to whoever calls through S3, with policies of his own or without.
  await (await s3.kmsFor(nobody)).send(make)
  const direct = new GenerateDataKeyCommand({ KeyId: made.KeyId, KeySpec: 'AES_256' })
  for (const kms of [alice.kms, root.kms, await ec2.kmsFor(alice)]) {
    await denied(kms.send(direct), 'AccessDeniedException', 400, /no resource-based policy allows/)
  }
  const records = await recordsOf(server.directory)
  const names = records.filter(({ errorCode }) => errorCode === undefined)
  assert.equal(names.filter(({ eventName }) => eventName === 'CreateKey').length, 1)
  assert.equal(names.filter(({ eventName }) => eventName === 'GenerateDataKey').length, 2)
})

test('a managed key is changed, disabled, rotated by hand and deleted by nobody', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const admin = await services.newUser('admin', { Action: '*' })
  const { KeyMetadata } = await root.kms.send(new DescribeKeyCommand({ KeyId: ebs }))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const { keyId: own } = await makeKey(root.kms)
  await root.kms.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: own }))
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
  })
  const Tags = [{ TagKey: 'a', TagValue: 'b' }]
  const calls: readonly ((kms: KMSClient) => Promise<unknown>)[] = [
    (kms) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
    (kms) => kms.send(new DisableKeyCommand({ KeyId })),
    (kms) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
    (kms) => kms.send(new RotateKeyOnDemandCommand({ KeyId })),
    (kms) => kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 })),
    (kms) => kms.send(new DisableKeyRotationCommand({ KeyId })),
    (kms) => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
    (kms) => kms.send(new TagResourceCommand({ KeyId, Tags })),
    (kms) => kms.send(new CreateAliasCommand({ AliasName: 'alias/b', TargetKeyId: KeyId })),
    (kms) => kms.send(new UpdateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: KeyId })),
    (kms) => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
    (kms) =>
      kms.send(
        new CreateGrantCommand({ KeyId, GranteePrincipal: admin.arn, Operations: ['Decrypt'] }),
      ),
  ]
  for (const kms of [root.kms, admin.kms]) {
    for (const call of calls) {
      await denied(
        call(kms),
        'AccessDeniedException',
        400,
        /because no resource-based policy allows/,
      )
    }
    for (const command of [
      new CreateAliasCommand({ AliasName: 'alias/aws/new', TargetKeyId: own }),
      new UpdateAliasCommand({ AliasName: ebs, TargetKeyId: own }),
    ]) {
      await assert.rejects(kms.send(command), {
        name: 'NotAuthorizedException',
      })
    }
    await assert.rejects(kms.send(new DeleteAliasCommand({ AliasName: ebs })), {
      name: 'NotAuthorizedException',
    })
  }
  await admin.kms.send(new ListGrantsCommand({ KeyId }))
  const ec2 = await services.register('ec2.amazonaws.com')
  const GranteePrincipal = `${accountId}:aws:ec2-infrastructure:i-1`
  const grant = { KeyId, GranteePrincipal, Operations: ['Decrypt' as const] }
  const { GrantId } = await (await ec2.kmsFor(admin)).send(new CreateGrantCommand(grant))
  await admin.kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
})

test('a managed key is rotated every year by the clock', async (t) => {
  const services = await openServices(t, { TRENT_TEST_API: 'on' })
  const { root, server } = services
  const { KeyMetadata } = await root.kms.send(new DescribeKeyCommand({ KeyId: ebs }))
  const KeyId = KeyMetadata?.KeyId
  const status = await root.kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  // AWS does not say so.
  assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [false, undefined])
  await advance(server.url, '364d')
  const rotations = async (): Promise<number | undefined> =>
    (await root.kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations?.length
  assert.equal(await rotations(), 0)
  await advance(server.url, '2d')
  assert.equal(await rotations(), 1)
  const after = await root.kms.send(new DescribeKeyCommand({ KeyId: ebs }))
  const { CurrentKeyMaterialId } = after.KeyMetadata ?? {}
  assert.notEqual(CurrentKeyMaterialId, KeyMetadata?.CurrentKeyMaterialId)
})
