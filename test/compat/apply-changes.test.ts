/** `trent apply` on what is there: changes, and what goes when it is asked for. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  IAMClient,
  CreateServiceLinkedRoleCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetRoleCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  ListGrantsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { credentials, region, startTestServer } from '../harness.ts'
import {
  apply,
  type File,
  first,
  material,
  multiRegionId,
  pendingId,
  policyOf,
  richFile,
  second,
  shown,
  symmetricId,
} from './applied.ts'
import { recordsOf } from './records.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
const kms = server.client()
const iam = new IAMClient({ endpoint: server.url, region, maxAttempts: 1, credentials })
after(async () => {
  iam.destroy()
  await server.stop()
})
async function reset(): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await fetch(`${server.url}/_trent/test/reset`, { method: 'POST', body: '{}', headers })
}

const arn = `arn:aws:kms:${region}:${first}`
const iamArn = `arn:aws:iam::${first}`
const changesNow = async (): Promise<number> =>
  ((await callOperator(server.directory, 'GetStatus')) as { changes: number }).changes

test('one thing that differs is one change, and members that the file leaves out stay', async () => {
  await reset()
  const file = richFile()
  await apply(server, file)
  const edits: readonly (readonly [(account: File) => void, readonly string[]])[] = [
    [
      ({ keys: [key] }) => (key.description = 'another'),
      [`update key ${arn}:key/${symmetricId} description`],
    ],
    [({ keys: [key] }) => delete key.description, []],
    [({ keys: [key] }) => (key.enabled = false), [`update key ${arn}:key/${symmetricId} state`]],
    [
      ({ keys: [key] }) => Object.assign(key, { enabled: true, rotationPeriodInDays: 100 }),
      [`update key ${arn}:key/${symmetricId} state enableKeyRotation`],
    ],
    [({ keys: [key] }) => Object.assign(key, { tags: {}, aliases: [], grants: [] }), []],
    [
      ({ keys: [key] }) =>
        (key.grants = [{ name: 'app', granteePrincipal: 'role/app', operations: ['Decrypt'] }]),
      [`update grant ${arn}:key/${symmetricId} app`],
    ],
    [
      ({ users: [user] }) => (user.tags.cost = '6'),
      [`update user ${iamArn}:user/people/alice tags`],
    ],
    [
      ({ users: [user] }) => (user.policies.own = policyOf('kms:ListKeys')),
      [`update user ${iamArn}:user/people/alice inlinePolicies`],
    ],
    [
      ({ policies: [policy] }) => (policy.document = policyOf('kms:Decrypt')),
      [`update managed policy ${iamArn}:policy/UseKeys document`],
    ],
    [
      ({ roles: [role] }) => (role.trustPolicy = policyOf('sts:AssumeRole', `${iamArn}:root`)),
      [`update role ${iamArn}:role/app trustPolicy`],
    ],
    [
      ({ keys: [key, multi] }) => {
        key.aliases = ['alias/app']
        multi.aliases = ['alias/multi', 'alias/app-2']
      },
      [`update alias ${arn}:alias/app-2 targetKeyId`],
    ],
  ]
  for (const [edit, expected] of edits) {
    edit(file.accounts[0])
    assert.deepEqual(shown(await apply(server, file)), expected)
  }
  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId: symmetricId }))
  assert.equal(Grants?.length, 1)
})

test('what the file does not name goes only when that is asked for', async () => {
  await reset()
  await apply(server, richFile())
  await iam.send(new CreateUserCommand({ UserName: 'visitor' }))
  await iam.send(new CreateAccessKeyCommand({ UserName: 'visitor' }))
  const service = { AWSServiceName: 'mrk.kms.amazonaws.com' }
  const linked = await iam.send(new CreateServiceLinkedRoleCommand(service))
  const file = richFile()
  const [account, other] = file.accounts
  delete account.groups
  delete account.oidcProviders
  account.users[0].groups = []
  account.users[0].attachedPolicies = []
  account.users[0].tags = {}
  account.roles = account.roles.slice(0, 1)
  account.policies = account.policies.slice(1)
  const [key] = account.keys
  key.aliases = ['alias/app']
  delete key.grants
  key.tags = {}
  account.keys = account.keys.filter(({ keyId }: { keyId: string }) => keyId !== multiRegionId)
  // An account that the file does not name is left alone.
  file.accounts = [account]
  assert(other.accountId === second)

  assert.deepEqual((await apply(server, file)).changes, [])
  const dry = await apply(server, file, { prune: true, dryRun: true })
  const before = await changesNow()
  const pruned = await apply(server, file, { prune: true })
  assert.equal(await changesNow(), before + 1)
  assert.deepEqual(shown(pruned), shown(dry))
  const lines = shown(pruned)
  for (const line of [
    `update user ${iamArn}:user/people/alice attachedPolicies groups tags`,
    `update key ${arn}:key/${symmetricId} tags`,
    `delete grant ${arn}:key/${symmetricId} app`,
    `delete alias ${arn}:alias/app-2`,
    `delete alias arn:aws:kms:eu-west-1:${first}:alias/multi`,
    `scheduleDeletion key ${arn}:key/${multiRegionId}`,
    `scheduleDeletion key arn:aws:kms:eu-west-1:${first}:key/${multiRegionId}`,
    `delete user ${iamArn}:user/visitor`,
    `delete role ${iamArn}:role/job`,
    `delete role ${iamArn}:role/worker`,
    `delete group ${iamArn}:group/teams/developers`,
    `delete managed policy ${iamArn}:policy/UseKeys`,
    `delete OIDC provider ${iamArn}:oidc-provider/token.example.com/tenant`,
  ]) {
    assert(lines.includes(line), `${line} in\n${lines.join('\n')}`)
  }
  await iam.send(new GetRoleCommand({ RoleName: linked.Role?.RoleName }))
  assert.match(pruned.warnings.join('\n'), /KEYS WILL BE DELETED: 2 keys/)
  assert.deepEqual((await apply(server, file, { prune: true })).changes, [])
  const dying = await kms.send(new DescribeKeyCommand({ KeyId: multiRegionId }))
  assert.deepEqual(
    [dying.KeyMetadata?.KeyState, dying.KeyMetadata?.PendingDeletionWindowInDays],
    ['PendingReplicaDeletion', 30],
  )
  const rootOfSecond = { accessKeyId: 'SECONDROOT', secretAccessKey: 'second-root-secret' }
  const kept = await server
    .client({ credentials: rootOfSecond })
    .send(new DescribeKeyCommand({ KeyId: symmetricId }))
  assert.equal(kept.KeyMetadata?.KeyState, 'Enabled')
})

test('a key that waits for its deletion is refused, and one of another origin is not taken over', async () => {
  await reset()
  await apply(server, richFile())
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: symmetricId, PendingWindowInDays: 7 }))
  await assert.rejects(apply(server, richFile()), { message: /is pending deletion/ })
  const made = await kms.send(new CreateKeyCommand({}))
  const keyId = made.KeyMetadata?.KeyId
  const file = { accounts: [{ accountId: first, keys: [{ keyId, material }] }] }
  await assert.rejects(apply(server, file), { message: /exists with other material$/ })
})

test('imported material comes to a key that waits for it, and is no change where it is there', async () => {
  await reset()
  const key: File = { keyId: pendingId, origin: 'EXTERNAL' }
  const file = { accounts: [{ accountId: first, keys: [key] }] }
  await apply(server, file)
  key.material = material
  assert.deepEqual(shown(await apply(server, file)), [
    `update key ${arn}:key/${pendingId} material`,
  ])
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: pendingId }))
  assert.equal(KeyMetadata?.KeyState, 'Enabled')
  assert.deepEqual((await apply(server, file)).changes, [])
  key.material = Buffer.alloc(32, 8).toString('base64')
  await assert.rejects(apply(server, file), { message: /exists with other material$/ })
})

test('a namesake that has come since is another: policies that name it are written anew', async () => {
  await reset()
  const file = richFile()
  await apply(server, file)
  const without = richFile()
  const [account] = without.accounts
  const minimal = { accounts: [{ accountId: first, keys: account.keys.slice(5) }] }
  await apply(server, minimal, { prune: true })
  const again = { accounts: [{ ...file.accounts[0], keys: account.keys.slice(5) }] }
  await apply(server, again)
  // The second account's key still names the user of before.
  const lines = shown(await apply(server, { accounts: [file.accounts[1]] }))
  assert.deepEqual(lines, [`update key arn:aws:kms:${region}:${second}:key/${symmetricId} policy`])
})

test('a dry run records nothing that it would do in other Regions', async () => {
  await reset()
  await apply(server, richFile())
  const file = richFile()
  Object.assign(file.accounts[0].keys[1], { enableKeyRotation: true })
  const synchronized = async (): Promise<number> =>
    (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'SynchronizeMultiRegionKey',
    ).length
  const before = await synchronized()
  const lines = [`update key ${arn}:key/${multiRegionId} enableKeyRotation`]
  assert.deepEqual(shown(await apply(server, file, { dryRun: true })), lines)
  assert.equal(await synchronized(), before)
  assert.deepEqual(shown(await apply(server, file)), lines)
  assert.equal(await synchronized(), before + 1)
  assert.deepEqual((await apply(server, file)).changes, [])
  assert.equal(await synchronized(), before + 1)
})
