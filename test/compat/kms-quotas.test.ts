/** Quotas through the wire: who is charged, what AWS says, and what operators are told. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  GenerateRandomCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { QuotasAnswer } from '../../src/operations/trent/shown-quotas.ts'
import { accountId, credentials, region, startTestServer } from '../harness.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'

const tooFast =
  'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
/** One request, and then none for a quarter of an hour: no test waits for a bucket. */
const server = await startWithTwoAccounts({
  TRENT_QUOTAS: 'aws-2015',
  TRENT_QUOTA_OVERRIDES:
    'CreateAlias=0.001,GenerateDataKeyPair-RSA_2048=0.001,DescribeKey=0.002,CreateKey=1000,keys=3,' +
    'LookupEvents=0.001,' +
    'grantsPerPrincipal=1,CreateGrant=1000',
})
after(() => server.stop())
const kms = server.client()
const other = server.otherClient()

test('one over the rate is a ThrottlingException, recorded, and another account’s is its own', async () => {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: [accountId, otherAccountId].map((id) => `arn:aws:iam::${id}:root`) },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  }
  const { arn: KeyId } = await makeKey(kms, { Policy: JSON.stringify(policy) })
  // The caller's account is charged, whoever's the key is.
  await other.send(new DescribeKeyCommand({ KeyId }))
  await refused(other.send(new DescribeKeyCommand({ KeyId })), 'ThrottlingException', tooFast)
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await refused(kms.send(new DescribeKeyCommand({ KeyId })), 'ThrottlingException', tooFast)
  const records = await recordsOf(server.directory)
  const refusals = records.filter(({ errorCode }) => errorCode === 'ThrottlingException')
  assert.deepEqual(
    refusals.map((record) => [record.eventName, record.recipientAccountId, record.errorMessage]),
    [
      ['DescribeKey', otherAccountId, tooFast],
      ['DescribeKey', accountId, tooFast],
    ],
  )
})

test('LookupEvents is throttled in CloudTrail’s words, and the refusal is recorded', async () => {
  const trails = new CloudTrailClient({ region, endpoint: server.url, credentials, maxAttempts: 1 })
  after(() => trails.destroy())
  await trails.send(new LookupEventsCommand({}))
  const again = trails.send(new LookupEventsCommand({}))
  await assert.rejects(again, { name: 'ThrottlingException', message: 'Rate exceeded' })
  const records = await recordsOf(server.directory)
  const looked = records.filter(({ eventName }) => eventName === 'LookupEvents')
  assert.deepEqual(
    looked.map(({ errorCode }) => errorCode),
    [undefined, 'ThrottlingException'],
  )
})

test('an official client takes it for throttling, and tries again', async () => {
  const client = new KMSClient({ region, endpoint: server.url, credentials, maxAttempts: 2 })
  const { keyId: TargetKeyId } = await makeKey(kms)
  const create = (name: string): Promise<unknown> =>
    client.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId }))
  await create('one')
  const error: unknown = await create('two').catch((reason: unknown) => reason)
  assert(error instanceof Error && '$metadata' in error)
  assert.equal(error.name, 'ThrottlingException')
  assert.equal((error.$metadata as { readonly attempts?: number }).attempts, 2)
  client.destroy()
})

test('counts of resources are refused at their edge, in AWS’s words', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  await refused(
    kms.send(new CreateKeyCommand({})),
    'LimitExceededException',
    'KMS keys quota for this account in this region is 3, current usage is 3.',
  )
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const grant = { KeyId, GranteePrincipal, Operations: ['Encrypt' as const] }
  await kms.send(new CreateGrantCommand(grant))
  await refused(
    kms.send(new CreateGrantCommand(grant)),
    'LimitExceededException',
    'Grants for a given principal per key quota is 1, current usage is 1.',
  )
  const another = { ...grant, GranteePrincipal: `arn:aws:iam::${otherAccountId}:root` }
  await kms.send(new CreateGrantCommand(another))
})

test('operators are told the limits and what is used of them', async () => {
  await kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  const answer = (await callOperator(server.directory, 'GetQuotas')) as QuotasAnswer
  assert.equal(answer.profile, 'aws-2015')
  assert.deepEqual(answer.resources, [
    { name: 'keys', limit: 3, used: 3 },
    { name: 'aliases', limit: 200, used: 1 },
    { name: 'aliasesPerKey' },
    { name: 'grantsPerKey', limit: 250 },
    { name: 'grantsPerPrincipal', limit: 1 },
  ])
  const rate = answer.requests.find(({ group }) => group === 'CreateAlias')
  assert.deepEqual(rate, { group: 'CreateAlias', perSecond: 0.001, available: 0 })
  const ofOther = { accountId: otherAccountId, region: 'eu-west-1' }
  const foreign = (await callOperator(server.directory, 'GetQuotas', ofOther)) as QuotasAnswer
  assert.deepEqual(foreign.resources[0], { name: 'keys', limit: 3, used: 0 })
  await assert.rejects(
    callOperator(server.directory, 'GetQuotas', { accountId: '999999999999' }),
    /NotFoundException/,
  )
})

test('the command prints them, and as JSON', async () => {
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: server.directory }
  const trent = (...args: readonly string[]): Promise<{ readonly stdout: string }> =>
    promisify(execFile)(process.execPath, [program, ...args], { env })
  const { stdout: text } = await trent('quotas')
  assert.match(text, /^quotas of profile aws-2015, account 111122223333, Region us-west-2\n/)
  assert.match(text, /\n {2}keys +used 3 of 3\n/)
  assert.match(text, /\n {2}CreateAlias +0\.001 a second, 0 left\n/)
  const answer = JSON.parse((await trent('quotas', '--json')).stdout) as QuotasAnswer
  assert.equal(answer.accountId, accountId)
})

test('unlimited, which is the default, limits no count, and no rate but those of IAM, STS and XKS proxies', async () => {
  const free = await startTestServer()
  const answer = (await callOperator(free.directory, 'GetQuotas')) as QuotasAnswer
  assert.equal(answer.profile, 'unlimited')
  assert.deepEqual(
    answer.requests.map(({ group, perSecond }) => [group, perSecond]),
    [
      ['custom-key-store', 1800],
      ['iam', 500],
      ['kms-xks-proxy', 1800],
      ['sts', 1000],
    ],
  )
  assert.deepEqual(answer.resources[0], { name: 'keys', used: 0 })
  await free.stop()
})
