/** Calls that concern two accounts are recorded in both; refusals in the caller's alone. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateRoleCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  ReEncryptCommand,
  RetireGrantCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { accountId, credentials, region } from '../harness.ts'
import { otherAccountId, otherCredentials, startWithTwoAccounts } from './accounts.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { makeKey } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const [owner, guest] = [server.client(), server.otherClient()]
const Plaintext = Buffer.from('x')
const allow = (account: string): object => ({
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'kms:*',
  Resource: '*',
})
const shared = await makeKey(owner, {
  Policy: JSON.stringify({
    Version: '2012-10-17',
    Statement: [allow(accountId), allow(otherAccountId)],
  }),
})

/** The records that `run` leaves, by the account that they are for. */
async function recorded(run: () => Promise<unknown>): Promise<ReadonlyMap<string, AuditRecord>> {
  const earlier = (await recordsOf(server.directory)).length
  await run().catch(() => undefined)
  const records = (await recordsOf(server.directory)).slice(earlier)
  const byAccount = new Map(records.map((record) => [record.recipientAccountId, record]))
  assert.equal(byAccount.size, records.length, 'one record an account')
  return byAccount
}

/** Both records, which must differ in nothing but whose they are. */
async function pairOf(
  run: () => Promise<unknown>,
  owningId = accountId,
  callingId = otherAccountId,
): Promise<readonly [calling: AuditRecord, owning: AuditRecord]> {
  const records = await recorded(run)
  const [calling, owning] = [records.get(callingId), records.get(owningId)]
  assert(calling && owning && records.size === 2)
  assert.notEqual(calling.eventID, owning.eventID)
  assert.match(calling.sharedEventID ?? '', /^[0-9a-f-]{36}$/)
  assert(![calling.eventID, owning.eventID].includes(calling.sharedEventID ?? ''))
  const { principalId } = calling.userIdentity
  assert.deepEqual(owning, {
    ...calling,
    eventID: owning.eventID,
    recipientAccountId: owningId,
    userIdentity: { type: 'AWSAccount', principalId, accountId: callingId },
    trent: owning.trent,
  })
  return [calling, owning]
}

test('a use of another account’s key is recorded in both accounts, and what it tells of the caller’s policies in one', async () => {
  const [calling, owning] = await pairOf(() =>
    guest.send(new EncryptCommand({ KeyId: shared.arn, Plaintext })),
  )
  assert.deepEqual(
    calling.resources.map(({ accountId: of }) => of),
    [accountId],
  )
  assert.equal(calling.userIdentity['type'], 'Root')
  const policies = ({ trent }: AuditRecord): unknown[] => trent.reasons.map(({ policy }) => policy)
  assert(policies(owning).every((policy) => policy === 'resource'))
  await pairOf(() => guest.send(new DescribeKeyCommand({ KeyId: shared.arn })))
})

test('a call within one account has one record, without a shared id', async () => {
  const records = await recorded(() => owner.send(new DescribeKeyCommand({ KeyId: shared.arn })))
  assert.deepEqual([...records.keys()], [accountId])
  assert.equal(records.get(accountId)?.sharedEventID, undefined)
})

test('a refusal is the caller’s own affair; a failure behind the permission is both’s', async () => {
  const { arn } = await makeKey(owner)
  const denied = await recorded(() => guest.send(new EncryptCommand({ KeyId: arn, Plaintext })))
  assert.deepEqual([...denied.keys()], [otherAccountId])
  assert.equal(denied.get(otherAccountId)?.sharedEventID, undefined)
  const never = await recorded(() => guest.send(new DisableKeyCommand({ KeyId: shared.arn })))
  assert.deepEqual([...never.keys()], [otherAccountId])
  await owner.send(new DisableKeyCommand({ KeyId: shared.keyId }))
  const [, owning] = await pairOf(() =>
    guest.send(new EncryptCommand({ KeyId: shared.arn, Plaintext })),
  )
  assert.equal(owning.errorCode, 'DisabledException')
  await owner.send(new EnableKeyCommand({ KeyId: shared.keyId }))
})

test('a change in another account commits with both records', async () => {
  const [calling] = await pairOf(() =>
    guest.send(
      new CreateGrantCommand({
        KeyId: shared.arn,
        GranteePrincipal: `arn:aws:iam::${otherAccountId}:root`,
        Operations: ['Encrypt', 'RetireGrant'],
      }),
    ),
  )
  const GrantId = String(calling.responseElements?.['grantId'])
  await pairOf(() => guest.send(new RetireGrantCommand({ KeyId: shared.arn, GrantId })))
})

test('ReEncrypt between two accounts is recorded in both, each under the id of its key’s use', async () => {
  const own = await makeKey(guest)
  const { CiphertextBlob } = await guest.send(new EncryptCommand({ KeyId: shared.arn, Plaintext }))
  const [calling] = await pairOf(() =>
    guest.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: own.keyId })),
  )
  assert.deepEqual(
    calling.resources.map(({ accountId: of }) => of),
    [accountId, otherAccountId],
  )
})

test('a role of another account is assumed in both accounts’ records; IAM’s are of one Region', async (t) => {
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  const sts = new STSClient({ region, endpoint: server.url, credentials: otherCredentials })
  t.after(() => {
    iam.destroy()
    sts.destroy()
  })
  const Statement = {
    Effect: 'Allow',
    Principal: { AWS: otherAccountId },
    Action: 'sts:AssumeRole',
  }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  const made = await recorded(() =>
    iam.send(new CreateRoleCommand({ RoleName: 'visited', AssumeRolePolicyDocument })),
  )
  const { awsRegion, eventSource, resources, responseElements } = made.get(accountId) ?? {}
  assert.deepEqual(
    [awsRegion, eventSource, resources],
    ['us-east-1', 'iam.amazonaws.com', undefined],
  )
  const { role } = responseElements as { readonly role: Readonly<Record<string, unknown>> }
  assert.equal(role['roleName'], 'visited')
  assert.match(String(role['createDate']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  // A root user can assume none, and is told so: of that the role's account hears nothing.
  const RoleArn = `arn:aws:iam::${accountId}:role/visited`
  const refused = await recorded(() =>
    sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'job' })),
  )
  assert.deepEqual([...refused.keys()], [otherAccountId])
  const listed = await recorded(() => iam.send(new ListUsersCommand({})))
  assert.equal(listed.get(accountId)?.awsRegion, 'us-east-1')
})
