/** What LookupEvents shows that events are about, and that they are found by it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Event } from '@aws-sdk/client-cloudtrail'
import {
  CreateAliasCommand,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, GetFederationTokenCommand } from '@aws-sdk/client-sts'
import { accountId } from '../harness.ts'
import { openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'
import { by, lookUp, lookUpSoon, trailClient } from './trails.ts'

const { newRole, newUser, root, server } = await openIdentities({ after: (end) => after(end) })
const { kms } = root
const trail = trailClient({ after }, server)
const Plaintext = Buffer.from('x')

function shown(event?: Event): readonly (readonly [string | undefined, string | undefined])[] {
  return (event?.Resources ?? []).map(({ ResourceType, ResourceName }) => [
    ResourceType,
    ResourceName,
  ])
}

function sessionIn(event?: Event): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const { responseElements } = JSON.parse(event?.CloudTrailEvent ?? '{}') as {
    readonly responseElements?: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
  return responseElements ?? {}
}

test('a session of a role is found by the key id, by each of its names and by the role', async () => {
  const user = await newUser('starter', { Action: 'sts:AssumeRole' })
  const trust = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('job', trust)
  const { Credentials } = await user.sts.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'nightly' }),
  )
  const [assumed] = await lookUpSoon(trail, 1, by('EventName', 'AssumeRole'))
  const { assumedRoleUser } = sessionIn(assumed)
  assert.deepEqual(shown(assumed), [
    ['AWS::IAM::AccessKey', Credentials?.AccessKeyId],
    ['AWS::STS::AssumedRole', assumedRoleUser?.['arn']],
    ['AWS::STS::AssumedRole', assumedRoleUser?.['assumedRoleId']],
    ['AWS::STS::AssumedRole', 'nightly'],
    ['AWS::IAM::Role', RoleArn],
  ])
  for (const [, name = ''] of shown(assumed)) {
    const found = await lookUp(trail, by('ResourceName', name))
    assert(
      found.some(({ EventId }) => EventId === assumed?.EventId),
      name,
    )
  }
})

test('a federated user’s token is found by the key id and by each name of the user', async () => {
  const { Credentials } = await root.sts.send(new GetFederationTokenCommand({ Name: 'guest' }))
  const [made] = await lookUpSoon(trail, 1, by('EventName', 'GetFederationToken'))
  const arn = `arn:aws:sts::${accountId}:federated-user/guest`
  const names = [Credentials?.AccessKeyId, `${accountId}:guest`, arn, 'guest']
  assert.deepEqual(
    shown(made),
    names.map((name, index) => [
      index === 0 ? 'AWS::IAM::AccessKey' : 'AWS::STS::FederatedUser',
      name,
    ]),
  )
  for (const name of names) {
    const found = await lookUp(trail, by('ResourceName', name ?? ''))
    assert.deepEqual(
      found.map(({ EventId }) => EventId),
      [made?.EventId],
    )
  }
})

test('a use of a key is found by the name that the caller gave, and a change by the id and the ARN', async () => {
  const { keyId, arn } = await makeKey(kms)
  const AliasName = 'alias/as-given'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
  const given = [keyId, arn, AliasName, arn.replace(/key\/.*/, AliasName)]
  for (const KeyId of given) {
    await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  }
  const sealed = await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  await assert.rejects(kms.send(new EncryptCommand({ KeyId: AliasName, Plaintext })))
  const events = await lookUpSoon(trail, 9, by('ResourceName', arn))
  const typed = (name: string): object => ({ ResourceType: 'AWS::KMS::Key', ResourceName: name })
  assert.deepEqual(events.map(({ EventName, Resources }) => [EventName, Resources]).toReversed(), [
    ['CreateKey', [typed(keyId), typed(arn)]],
    ['CreateAlias', [AliasName, given[3] ?? '', keyId, arn].map(typed)],
    ...given.map((name) => ['Encrypt', [{ ResourceName: name }]]),
    ['Encrypt', [{ ResourceName: keyId }]],
    ['Decrypt', []],
    ['DisableKey', [typed(keyId), typed(arn)]],
    ['Encrypt', [{ ResourceName: AliasName }]],
  ])
  const named = async (name: string): Promise<readonly (string | undefined)[]> =>
    (await lookUp(trail, by('ResourceName', name))).map(({ EventName }) => EventName)
  assert.deepEqual(await named(keyId), [
    'DisableKey',
    'Encrypt',
    'Encrypt',
    'CreateAlias',
    'CreateKey',
  ])
  assert.deepEqual(await named(AliasName), ['Encrypt', 'Encrypt', 'CreateAlias'])
})
