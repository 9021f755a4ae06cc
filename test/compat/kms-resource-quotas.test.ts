/** How many of what there may be, through the wire: below the edge, at it, and one above, in AWS's words. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  type KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  type Tag,
} from '@aws-sdk/client-kms'
import { profiles, type Profile } from '../../src/throttle/profiles.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { startWithTwoAccounts, type TwoAccounts } from './accounts.ts'
import { apply } from './applied.ts'
import { makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'

/** No rate is in the way of a count. */
const fast = `
  CreateKey CreateAlias UpdateAlias DeleteAlias CreateGrant ReplicateKey
  RotateKeyOnDemand TagResource PutKeyPolicy ScheduleKeyDeletion DescribeKey`
  .trim()
  .split(/\s+/)
  .map((name) => `${name}=100000`)
  .join(',')

const settingsOf = (profile: Profile, overrides = ''): Record<string, string> => ({
  TRENT_TEST_API: 'on',
  TRENT_QUOTAS: profile,
  TRENT_QUOTA_OVERRIDES: `${fast},${overrides}`,
})

async function started(t: TestContext, profile: Profile, overrides?: string): Promise<TestServer> {
  const server = await startTestServer(settingsOf(profile, overrides))
  t.after(() => server.stop())
  return server
}

async function startedForTwo(t: TestContext, profile: Profile): Promise<TwoAccounts> {
  const server = await startWithTwoAccounts(settingsOf(profile))
  t.after(() => server.stop())
  return server
}

/** One after the other: no two are at the edge at once. */
async function times(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += 1) await work(index)
}

test('aws-2015: an account has 100 keys in a Region, in whatever state, and not one more', async (t) => {
  const server = await startedForTwo(t, 'aws-2015')
  const kms = server.client()
  const full = (): Promise<void> =>
    refused(
      kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' })),
      'LimitExceededException',
      'KMS keys quota for this account in this region is 100, current usage is 100.',
    )
  const { keyId: KeyId } = await makeKey(kms)
  await times(98, () => kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' })))
  // Those that AWS manages do not count.
  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }))
  await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  await full()
  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/ebs' }))
  // Other Regions and accounts have their own; a replica is a key of its Region.
  const elsewhere = server.client({ region: 'eu-west-1' })
  const primary = await makeKey(elsewhere, { MultiRegion: true })
  await makeKey(server.otherClient())
  const replicate = new ReplicateKeyCommand({ KeyId: primary.keyId, ReplicaRegion: 'us-west-2' })
  await refused(
    elsewhere.send(replicate),
    'LimitExceededException',
    'KMS keys quota for this account in this region is 100, current usage is 100.',
  )
  // One that waits for its deletion counts until it is gone.
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await full()
  await advance(server.url, '7d')
  await advance(server.url, '1d')
  await elsewhere.send(replicate)
  await full()
})

test('aws-2015: an account has 200 aliases in a Region, whatever they point to, and not one more', async (t) => {
  const server = await startedForTwo(t, 'aws-2015')
  const kms = server.client()
  const keys = [await makeKey(kms), await makeKey(kms)]
  const create = (name: string, client: KMSClient = kms, of = 0): Promise<unknown> =>
    client.send(
      new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: keys[of]?.keyId }),
    )
  const full = (): Promise<void> =>
    refused(
      create('one-more'),
      'LimitExceededException',
      'Aliases quota for this account in this region is 200, current usage is 200.',
    )
  await times(199, (index) => create(String(index), kms, index % 2))
  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }))
  await create('199')
  await full()
  // What is there can move.
  const TargetKeyId = keys[1]?.keyId
  await kms.send(new UpdateAliasCommand({ AliasName: 'alias/0', TargetKeyId }))
  await full()
  const other = server.otherClient()
  const { keyId } = await makeKey(other)
  await other.send(new CreateAliasCommand({ AliasName: 'alias/theirs', TargetKeyId: keyId }))
  await kms.send(new DeleteAliasCommand({ AliasName: 'alias/7' }))
  await create('again')
  await full()
  // Aliases go with their key.
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keys[1]?.keyId, PendingWindowInDays: 7 }))
  await full()
  await advance(server.url, '8d')
  await create('now')
})

test('aws-2015: a key has 250 grants, 30 of them to one grantee, and not one more', async (t) => {
  const server = await startedForTwo(t, 'aws-2015')
  const kms = server.client()
  const users = Array.from({ length: 9 }, (_, index) => `user-${index}`)
  await apply(server, { accounts: [{ accountId, users: users.map((name) => ({ name })) }] })
  const { keyId: KeyId } = await makeKey(kms)
  const grant = async (user: number, Name?: string): Promise<Granted> => {
    const GranteePrincipal = `arn:aws:iam::${accountId}:user/user-${user}`
    const retiring = { RetiringPrincipal: `arn:aws:iam::${accountId}:root`, Name }
    const of = { KeyId, GranteePrincipal, Operations: ['Decrypt' as const], ...retiring }
    return kms.send(new CreateGrantCommand(of))
  }
  const perPrincipal = 'Grants for a given principal per key quota is 30, current usage is 30.'
  for (const user of users.keys()) {
    if (user === 8) break
    await times(30, (index) => grant(user, index === 0 ? 'named' : undefined))
    await refused(grant(user), 'LimitExceededException', perPrincipal)
  }
  await times(9, () => grant(8))
  const last = await grant(8)
  const perKey = 'Grants per key quota is 250, current usage is 250.'
  await refused(grant(8), 'LimitExceededException', perKey)
  // The one that is there is no grant more.
  await grant(0, 'named')
  const { keyId: another } = await makeKey(kms)
  const GranteePrincipal = `arn:aws:iam::${accountId}:user/user-0`
  const elsewhere = { KeyId: another, GranteePrincipal, Operations: ['Decrypt' as const] }
  await kms.send(new CreateGrantCommand(elsewhere))
  await kms.send(new RetireGrantCommand({ GrantToken: last.GrantToken }))
  const { GrantId } = await grant(8)
  await refused(grant(8), 'LimitExceededException', perKey)
  await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await grant(8)
})

interface Granted {
  readonly GrantId?: string | undefined
  readonly GrantToken?: string | undefined
}

test('aws: a key has 50 aliases; keys and grants end where they are set to', async (t) => {
  const server = await started(t, 'aws', 'keys=3,grantsPerKey=4')
  const kms = server.client()
  const { keyId: KeyId } = await makeKey(kms)
  const another = await makeKey(kms)
  await makeKey(kms)
  await refused(
    makeKey(kms),
    'LimitExceededException',
    'KMS keys quota for this account in this region is 3, current usage is 3.',
  )
  const create = (index: number, TargetKeyId = KeyId): Promise<unknown> =>
    kms.send(new CreateAliasCommand({ AliasName: `alias/${index}`, TargetKeyId }))
  await times(50, create)
  const crowded =
    'Aliases per key quota for this account in this region is 50, current usage is 50.'
  await refused(create(50), 'LimitExceededException', crowded)
  // More than 200 of an account is nothing to AWS now.
  await create(50, another.keyId)
  const move = { AliasName: 'alias/50', TargetKeyId: KeyId }
  await refused(kms.send(new UpdateAliasCommand(move)), 'LimitExceededException', crowded)
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const grant = (): Promise<unknown> =>
    kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'] }))
  await times(4, grant)
  await refused(grant(), 'LimitExceededException', 'Grants per key quota is 4, current usage is 4.')
})

const policyBytesMax = 32_768

/** A policy by which the account keeps its key, of so many bytes. */
function policyOf(bytes: number): string {
  const root = `arn:aws:iam::${accountId}:root`
  const allow = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow] })
  return policy + ' '.repeat(bytes - policy.length)
}

const tagsOf = (count: number): Tag[] =>
  Array.from({ length: count }, (_, index) => ({ TagKey: `t${index}`, TagValue: '' }))

for (const profile of profiles) {
  test(`${profile}: what belongs to one key ends at AWS’s numbers`, async (t) => {
    const server = await started(t, profile)
    const kms = server.client()
    const { keyId: KeyId, arn } = await makeKey(kms, { MultiRegion: true })
    const replicate = (Region: string, more: object): Promise<unknown> =>
      kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: Region, ...more }))
    // 32 KB of policy, however it comes.
    const waysIn = [
      (Policy: string) => kms.send(new CreateKeyCommand({ Policy })),
      (Policy: string) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
      (Policy: string) => replicate('eu-west-1', { Policy }),
    ]
    for (const send of waysIn) {
      await refused(
        send(policyOf(policyBytesMax + 1)),
        'LimitExceededException',
        'the policy has 32769 bytes, more than 32768',
      )
      await send(policyOf(policyBytesMax))
    }
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyOf(policyBytesMax - 1) }))
    // 50 tags.
    const tag = (Tags: Tag[]): Promise<unknown> => kms.send(new TagResourceCommand({ KeyId, Tags }))
    await refused(tag(tagsOf(51)), 'TagException', 'Too many tags')
    await tag(tagsOf(49))
    await tag(tagsOf(50))
    await refused(tag([{ TagKey: 'more', TagValue: '' }]), 'TagException', 'Too many tags')
    await refused(makeKey(kms, { Tags: tagsOf(51) }), 'TagException', 'Too many tags')
    await makeKey(kms, { Tags: tagsOf(50) })
    await refused(replicate('eu-west-2', { Tags: tagsOf(51) }), 'TagException', 'Too many tags')
    await replicate('eu-west-2', { Tags: tagsOf(50) })
    // 25 rotations on demand in a key's life.
    await advance(server.url, '3s')
    const rotate = (): Promise<unknown> => kms.send(new RotateKeyOnDemandCommand({ KeyId }))
    await times(25, async () => {
      await rotate()
      await advance(server.url, '3s')
    })
    await refused(
      rotate(),
      'LimitExceededException',
      'The on-demand rotations limit has been reached for the given keyId. ' +
        `No more on-demand rotations can be performed for this key: ${arn}`,
    )
  })
}

test('two calls at once do not both take the last place', async (t) => {
  const server = await started(t, 'unlimited', 'keys=5,aliases=5,grantsPerKey=5')
  const kms = server.client()
  const outcomes = async (
    count: number,
    work: (index: number) => Promise<unknown>,
  ): Promise<readonly string[]> => {
    const all = await Promise.allSettled(Array.from({ length: count }, (_, index) => work(index)))
    return all.map((one) => (one.status === 'fulfilled' ? 'done' : String(one.reason.name)))
  }
  const edge = [
    ...Array<string>(5).fill('done'),
    ...Array<string>(7).fill('LimitExceededException'),
  ]
  const made = await outcomes(12, () => makeKey(kms))
  assert.deepEqual(made.toSorted(), edge.toSorted())
  const { Keys } = await kms.send(new ListKeysCommand({}))
  const KeyId = Keys?.[0]?.KeyId
  const named = await outcomes(12, (index) =>
    kms.send(new CreateAliasCommand({ AliasName: `alias/${index}`, TargetKeyId: KeyId })),
  )
  assert.deepEqual(named.toSorted(), edge.toSorted())
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const granted = await outcomes(12, () =>
    kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'] })),
  )
  assert.deepEqual(granted.toSorted(), edge.toSorted())
})
