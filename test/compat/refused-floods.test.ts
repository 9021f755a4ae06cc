/** Whoever may do nothing does not fill the disk, and IAM and STS have request quotas. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreatePolicyCommand, ListUsersCommand } from '@aws-sdk/client-iam'
import { EncryptCommand, ListKeysCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { denied, documentOf, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { accountId } from '../harness.ts'

interface Refusals {
  readonly count: number
  readonly calls: readonly { readonly eventName: string; readonly count: number }[]
}

test('a flood of refused calls leaves few records, small ones, and each call is counted', async (t) => {
  const { server, root, newUser } = await openIdentities(t)
  const user = await newUser('nobody')
  const Sids = Array.from({ length: 40 }, (_, index) => ({ Sid: `s${index}`.padEnd(100, 'x') }))
  const policy = JSON.parse(documentOf({ Action: 'kms:*' })) as object
  const PolicyDocument = JSON.stringify({ ...policy, Padding: Sids })
  const Tags = Array.from({ length: 50 }, (_, index) => ({
    Key: `k${index}`.padEnd(128, 'k'),
    Value: 'v'.repeat(256),
  }))
  const policies = Array.from({ length: 250 }, (_, index) =>
    user.iam
      .send(new CreatePolicyCommand({ PolicyName: `p${index}`, PolicyDocument, Tags }))
      .then(() => assert.fail('it must be refused'))
      .catch((error: Error) => error.name),
  )
  const keys = Array.from({ length: 50 }, () =>
    user.kms.send(new ListKeysCommand({})).catch((error: Error) => error.name),
  )
  const names = new Set(await Promise.all([...policies, ...keys]))
  assert.deepEqual(names, new Set(['AccessDenied', 'AccessDeniedException']))
  const records = (await recordsOf(server.directory)).filter(
    ({ userIdentity, errorCode }) =>
      errorCode !== undefined &&
      (userIdentity as { readonly userName?: string }).userName === 'nobody',
  )
  // As many as may come at once, and some while they came.
  assert(records.length < 200, `${records.length} records`)
  let counted = 0
  for (const record of records) {
    assert(JSON.stringify(record).length <= 8 * 1024)
    const { refusals } = record.trent as { readonly refusals?: Refusals }
    counted += refusals?.count ?? 1
    const kinds = refusals?.calls.reduce((sum, { count }) => sum + count, 0)
    assert.equal(kinds, refusals?.count)
  }
  assert.equal(counted, 300)
  // Others have records of their own all the while.
  await assert.rejects(
    root.kms.send(new EncryptCommand({ KeyId: 'alias/none', Plaintext: Buffer.from('x') })),
  )
  const last = (await recordsOf(server.directory)).at(-1)
  assert.deepEqual([last?.eventName, last?.errorCode], ['Encrypt', 'NotFoundException'])
})

test('a flood does not hide from a key’s account what was allowed on its key', async (t) => {
  const { as, server, root } = await openIdentities(t, {
    TRENT_QUOTA_OVERRIDES: 'RefusedCalls=2',
  })
  const other = (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
  const { kms } = as(other)
  const { arn: KeyId } = await makeKey(root.kms)
  const Principal = { AWS: [accountId, other.accountId].map((id) => `arn:aws:iam::${id}:root`) }
  const all = { Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [all] })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const Plaintext = Buffer.from('x')
  const refused = { KeyId: 'alias/none', Plaintext }
  await Promise.allSettled(Array.from({ length: 60 }, () => kms.send(new EncryptCommand(refused))))
  const probes = Array.from({ length: 5 }, () =>
    kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true })).catch(({ name }) => name),
  )
  assert.deepEqual(new Set(await Promise.all(probes)), new Set(['DryRunOperationException']))
  const records = await recordsOf(server.directory)
  assert.ok(records.some(({ trent }) => (trent as { refusals?: Refusals }).refusals !== undefined))
  const told = records.filter(
    ({ recipientAccountId, errorCode }) =>
      recipientAccountId === accountId && errorCode === 'DryRunOperationException',
  )
  assert.equal(told.length, 5)
})

test('the rate is a setting', async (t) => {
  const { server, newUser } = await openIdentities(t, {
    TRENT_QUOTA_OVERRIDES: 'RefusedCalls=1000',
  })
  const user = await newUser('nobody')
  const calls = Array.from({ length: 150 }, () => user.kms.send(new ListKeysCommand({})))
  await Promise.allSettled(calls)
  const records = (await recordsOf(server.directory)).filter(({ errorCode }) => errorCode)
  assert.equal(records.length, 150)
})

for (const profile of ['unlimited', 'aws', 'aws-2015']) {
  test(`${profile}: IAM and STS are throttled beyond their rates, each on its own`, async (t) => {
    const { root } = await openIdentities(t, {
      TRENT_QUOTAS: profile,
      TRENT_QUOTA_OVERRIDES: 'iam=0.001,sts=0.001',
    })
    await root.iam.send(new ListUsersCommand({}))
    await denied(root.iam.send(new ListUsersCommand({})), 'Throttling', 400, 'Rate exceeded')
    await root.sts.send(new GetCallerIdentityCommand({}))
    const again = root.sts.send(new GetCallerIdentityCommand({}))
    await denied(again, 'Throttling', 400, 'Rate exceeded')
    await root.kms.send(new ListKeysCommand({}))
  })
}
