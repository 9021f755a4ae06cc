/**
 * Who may give tags to a key that a call makes: `kms:TagResource` is asked of every key of the account.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html#create-key-permissions
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateKeyCommand, ReplicateKeyCommand } from '@aws-sdk/client-kms'
import type { CallExplanation } from '../../src/operations/contract/access-questions.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, region } from '../harness.ts'
import { openIdentities, type MadeUser } from './identities.ts'
import { makePrimary } from './multi-region.ts'
import { recordsOf } from './records.ts'

const identities = await openIdentities({ after: (end) => after(end) })
const { root, newUser, server } = identities
const there = 'eu-north-1'
const Tags = [{ TagKey: 'team', TagValue: 'red' }]
const user = await newUser('maker')
const making = { Action: ['kms:CreateKey', 'kms:ReplicateKey'], Resource: '*' }

async function allow({ arn }: MadeUser, ...statements: readonly object[]): Promise<void> {
  const Statement = statements.map((one) => ({ Effect: 'Allow', ...one }))
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  const UserName = arn.split('/').at(-1)
  await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
}

const tagging = (Resource: string | readonly string[], Effect = 'Allow'): object => ({
  Effect,
  Action: 'kms:TagResource',
  Resource,
})

/** The guide's forms, and others that mean every key of the account in the Region of the call. */
const given = (place: string): readonly string[] => [
  '*',
  `arn:aws:kms:*:${accountId}:key/*`,
  `arn:aws:kms:${place}:${accountId}:key/*`,
  'arn:aws:kms:*:*:*',
]

const lacking = (place: string): readonly string[] => [
  `arn:aws:kms:*:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  `arn:aws:kms:*:${accountId}:key/1*`,
  `arn:aws:kms:*:${accountId}:alias/*`,
  'arn:aws:kms:*:444455556666:key/*',
  `arn:aws:kms:${place === there ? region : there}:${accountId}:key/*`,
]

const refused = {
  name: 'AccessDeniedException',
  message:
    `User: ${user.arn} is not authorized to perform: kms:TagResource ` +
    'because no identity-based policy allows the kms:TagResource action',
}

for (const resource of given(region)) {
  test(`CreateKey with tags is given by kms:TagResource on ${resource}`, async () => {
    await allow(user, making, tagging(resource))
    await user.kms.send(new CreateKeyCommand({ Tags }))
  })
}

for (const resource of lacking(region)) {
  test(`CreateKey with tags is not given by kms:TagResource on ${resource}`, async () => {
    await allow(user, making, tagging(resource))
    await assert.rejects(user.kms.send(new CreateKeyCommand({ Tags })), refused)
    await user.kms.send(new CreateKeyCommand({}))
  })
}

for (const resource of given(there)) {
  test(`ReplicateKey with tags is given by kms:TagResource on ${resource}`, async () => {
    const KeyId = await makePrimary(root.kms)
    await allow(user, making, tagging(resource))
    await user.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there, Tags }))
  })
}

for (const resource of lacking(there)) {
  test(`ReplicateKey with tags is not given by kms:TagResource on ${resource}`, async () => {
    const KeyId = await makePrimary(root.kms)
    await allow(user, making, tagging(resource))
    const command = new ReplicateKeyCommand({ KeyId, ReplicaRegion: there, Tags })
    await assert.rejects(user.kms.send(command), refused)
  })
}

test('a Deny on every key of the account refuses the tags of a new key', async () => {
  const denying = tagging(`arn:aws:kms:*:${accountId}:key/*`, 'Deny')
  await allow(user, making, tagging('*'), denying)
  await assert.rejects(user.kms.send(new CreateKeyCommand({ Tags })), {
    name: 'AccessDeniedException',
    message: /kms:TagResource with an explicit deny in an identity-based policy$/,
  })
  await user.kms.send(new CreateKeyCommand({}))
})

test('the record names the statement that gave the tags, and no other question is explained in its place', async () => {
  await allow(user, making, tagging(`arn:aws:kms:*:${accountId}:key/*`))
  const { $metadata } = await user.kms.send(new CreateKeyCommand({ Tags }))
  const records = await recordsOf(server.directory)
  const { requestId } = $metadata
  const record = records.find(({ requestID }) => requestID === requestId)
  assert.deepEqual(
    record?.trent.reasons.map(({ action, statement }) => [action, statement]),
    [
      ['kms:CreateKey', '#0'],
      ['kms:TagResource', '#1'],
    ],
  )
  const explained = await explanationOf(requestId)
  assert.equal(explained.now, undefined)
  assert.match(explained.unasked ?? '', /^kms:TagResource was asked of every key/)
})

/** A record is found some seconds after its call. */
async function explanationOf(requestId: string | undefined): Promise<CallExplanation> {
  const find = (): Promise<unknown> =>
    callOperator(server.directory, 'ExplainAccess', { requestId })
  let answer: unknown
  for (let attempt = 0; answer === undefined && attempt < 40; attempt += 1) {
    answer = await find().catch(() => sleep(250))
  }
  return answer as CallExplanation
}
