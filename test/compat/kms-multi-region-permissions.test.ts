/** Who may replicate a key and move its primary: the permissions in both Regions, and what they may ask. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  UpdatePrimaryRegionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { denied, notAllowed, openIdentities, type MadeUser, type Signed } from './identities.ts'
import { arnIn, makePrimary, settled } from './multi-region.ts'

const { server, root, newUser } = await openIdentities({ after: (end) => after(end) })
const here = 'us-west-2'
const there = 'eu-north-1'
const refusedName = 'AccessDeniedException'

/** Gives the user just these statements. */
async function allow(user: MadeUser, ...statements: readonly object[]): Promise<void> {
  const Statement = statements.map((one) => ({ Effect: 'Allow', Resource: '*', ...one }))
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  const [, UserName] = user.arn.split('/')
  await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
}

const clientIn = ({ credentials }: Pick<Signed, 'credentials'>, region: string): KMSClient =>
  server.client({ credentials, region })

const equals = (key: string, value: string): object => ({
  Condition: { StringEquals: { [key]: value } },
})

async function replicated(kms: KMSClient, ReplicaRegion = there): Promise<string> {
  const KeyId = await makePrimary(kms)
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
  await settled(clientIn(root, ReplicaRegion), KeyId)
  return KeyId
}

const tagged = { Tags: [{ TagKey: 'team', TagValue: 'red' }] }

test('ReplicateKey asks for its own permission first, and then for the making in the other Region', async () => {
  const KeyId = await makePrimary(root.kms)
  const nobody = await newUser('nobody', { Action: 'kms:DescribeKey' })
  const input = { KeyId, ReplicaRegion: there }
  await denied(
    nobody.kms.send(new ReplicateKeyCommand(input)),
    refusedName,
    400,
    notAllowed(nobody.arn, 'kms:ReplicateKey', arnIn(here, KeyId)),
  )
  const half = await newUser('half', { Action: 'kms:ReplicateKey' })
  await denied(
    half.kms.send(new ReplicateKeyCommand(input)),
    refusedName,
    400,
    notAllowed(half.arn, 'kms:CreateKey', '*'),
  )
  const whole = await newUser('whole', {
    Action: ['kms:ReplicateKey', 'kms:CreateKey', 'kms:PutKeyPolicy'],
  })
  await denied(
    whole.kms.send(new ReplicateKeyCommand({ ...input, ...tagged })),
    refusedName,
    400,
    /kms:TagResource/,
  )
  await whole.kms.send(new ReplicateKeyCommand(input))
})

const making: readonly [name: string, key: string, good: string, bad: string][] = [
  ['region', 'aws:RequestedRegion', there, here],
  ['type', 'kms:MultiRegionKeyType', 'REPLICA', 'PRIMARY'],
  ['multi', 'kms:MultiRegion', 'true', 'false'],
  ['spec', 'kms:KeySpec', 'SYMMETRIC_DEFAULT', 'RSA_2048'],
  ['tag', 'aws:RequestTag/team', 'red', 'blue'],
]

for (const [name, key, good, bad] of making) {
  test(`kms:CreateKey in the other Region may be given by ${key}`, async () => {
    const KeyId = await makePrimary(root.kms)
    const input = { KeyId, ReplicaRegion: there, ...tagged }
    const others = ['kms:ReplicateKey', 'kms:PutKeyPolicy', 'kms:TagResource']
    const wrong = await newUser(`${name}-wrong`)
    const right = await newUser(`${name}-right`)
    for (const [user, value] of [
      [wrong, bad],
      [right, good],
    ] as const) {
      await allow(user, { Action: others }, { Action: 'kms:CreateKey', ...equals(key, value) })
    }
    await denied(
      wrong.kms.send(new ReplicateKeyCommand(input)),
      refusedName,
      400,
      notAllowed(wrong.arn, 'kms:CreateKey', '*'),
    )
    await right.kms.send(new ReplicateKeyCommand(input))
  })
}

test('kms:ReplicateKey may be given by the Region of the replica, and by what key it is', async () => {
  const KeyId = await makePrimary(root.kms)
  const user = await newUser('replicator')
  const create = { Action: ['kms:CreateKey', 'kms:PutKeyPolicy'] }
  const replicate = { Action: 'kms:ReplicateKey' }
  const command = new ReplicateKeyCommand({ KeyId, ReplicaRegion: there })
  for (const [key, value] of [
    ['kms:ReplicaRegion', 'us-east-1'],
    ['kms:MultiRegionKeyType', 'REPLICA'],
    ['kms:MultiRegion', 'false'],
    ['aws:RequestedRegion', there],
  ] as const) {
    await allow(user, create, { ...replicate, ...equals(key, value) })
    await denied(
      user.kms.send(command),
      refusedName,
      400,
      notAllowed(user.arn, 'kms:ReplicateKey', arnIn(here, KeyId)),
    )
  }
  const Condition = {
    StringEquals: {
      'kms:ReplicaRegion': there,
      'kms:MultiRegionKeyType': 'PRIMARY',
      'kms:MultiRegion': 'true',
      'aws:RequestedRegion': here,
    },
  }
  await allow(user, create, { ...replicate, Condition })
  await user.kms.send(command)
})

test('kms:CreateKey tells a multi-Region key from others', async () => {
  const user = await newUser('single')
  const single = { Bool: { 'kms:MultiRegion': 'false' } }
  await allow(user, { Action: ['kms:CreateKey', 'kms:PutKeyPolicy'], Condition: single })
  await user.kms.send(new CreateKeyCommand({}))
  await denied(
    user.kms.send(new CreateKeyCommand({ MultiRegion: true })),
    refusedName,
    400,
    notAllowed(user.arn, 'kms:CreateKey', '*'),
  )
})

test('UpdatePrimaryRegion asks both keys, each by its own policy', async () => {
  const KeyId = await replicated(root.kms)
  const user = await newUser('mover')
  const move = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })
  const Action = 'kms:UpdatePrimaryRegion'
  for (const [given, lacking] of [
    [here, there],
    [there, here],
  ] as const) {
    await allow(user, { Action, Resource: arnIn(given, KeyId) })
    await denied(
      user.kms.send(move),
      refusedName,
      400,
      notAllowed(user.arn, Action, arnIn(lacking, KeyId)),
    )
  }
  const primary = equals('kms:PrimaryRegion', 'us-east-1')
  await allow(user, { Action, ...primary })
  await assert.rejects(user.kms.send(move), { name: refusedName })
  // The policy of the key in the other Region has the last word on it.
  const statement = { Principal: '*', Resource: '*', Action }
  const Statement = [
    { Effect: 'Allow', ...statement, Action: 'kms:*', Principal: { AWS: accountId } },
    { Effect: 'Deny', ...statement },
  ]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  const inOther = clientIn(root, there)
  await inOther.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  await allow(user, { Action })
  await assert.rejects(user.kms.send(move), {
    name: refusedName,
    message: /with an explicit deny in a resource-based policy/,
  })
  const Allowed = JSON.stringify({ Version: '2012-10-17', Statement: Statement.slice(0, 1) })
  await inOther.send(new PutKeyPolicyCommand({ KeyId, Policy: Allowed }))
  await allow(user, { Action, ...equals('kms:PrimaryRegion', there) })
  await user.kms.send(move)
})

test('a key policy for the Region that a call is made in holds for that key alone', async () => {
  const KeyId = await replicated(root.kms)
  const user = await newUser('reader')
  await allow(user, { Action: 'kms:Decrypt', ...equals('aws:RequestedRegion', there) })
  const Plaintext = Buffer.from('x')
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const decrypt = new DecryptCommand({ CiphertextBlob })
  await clientIn(user, there).send(decrypt)
  await assert.rejects(user.kms.send(decrypt), { name: refusedName })
})
