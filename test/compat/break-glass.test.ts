/** Operators act in spite of every policy: they unlock keys and reset root users, and somebody is told. @module */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { breakGlassWith } from '../../src/server/break-glass.ts'
import { startReceiver } from '../events/receiver.ts'
import { accountId, region, startTestServer } from '../harness.ts'
import { scrape } from '../metrics/scraped.ts'
import {
  credentialsOf,
  denied,
  openIdentities,
  type Identities,
  type Signed,
} from './identities.ts'
import { makePrimary, replicate } from './multi-region.ts'
import { recordTexts, recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { trentOf } from './trent-command.ts'

const otherId = '444455556666'
const Plaintext = Buffer.from('x')

async function otherAccount({ server, as }: Identities): Promise<Signed> {
  const made = await callOperator(server.directory, 'CreateAccount', { accountId: otherId })
  return as(made as CreatedAccount)
}

/** Allows what nobody needs, and nobody to change it. */
const locked = (of: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: of }, Action: 'kms:ListGrants', Resource: '*' },
    ],
  })

async function lock({ kms }: Pick<Signed, 'kms'>, KeyId: string, of: string): Promise<void> {
  const Policy = locked(of)
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }))
  await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId })), {
    name: 'AccessDeniedException',
  })
}

interface Recorded {
  readonly eventName: string
  readonly eventSource: string
  readonly recipientAccountId: string
  readonly userIdentity: Readonly<Record<string, unknown>>
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>
}

async function recordsNamed(directory: string, name: string): Promise<readonly Recorded[]> {
  const all = (await recordsOf(directory)) as unknown as readonly Recorded[]
  return all.filter(({ eventName }) => eventName === name)
}

test('a key that locks everybody out gets its default policy, with an alarm and records', async (t) => {
  const receiver = await startReceiver(t)
  const identities = await openIdentities(t, receiver.settings)
  const { server } = identities
  const other = await otherAccount(identities)
  const { arn: KeyId } = await makeKey(other.kms)
  const { Policy: before } = await other.kms.send(new GetKeyPolicyCommand({ KeyId }))
  await lock(other, KeyId, otherId)
  const answer = await callOperator(server.directory, 'UnlockKey', { keyArn: KeyId })
  const formerPolicySha256 = hash('sha256', locked(otherId))
  assert.deepEqual(answer, { keyArn: KeyId, formerPolicySha256 })
  await other.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const { Policy } = await other.kms.send(new GetKeyPolicyCommand({ KeyId }))
  assert.equal(Policy, before)

  const records = await recordsNamed(server.directory, 'UnlockKey')
  const byOperator = records.filter(({ eventSource }) => eventSource === 'trent.amazonaws.com')
  const owners = byOperator.map(({ recipientAccountId }) => recipientAccountId)
  assert.deepEqual(owners.toSorted(), [accountId, otherId])
  for (const { userIdentity, responseElements } of byOperator) {
    assert.partialDeepStrictEqual(userIdentity, {
      type: 'Operator',
      principalId: `operator/${process.getuid?.()}`,
    })
    assert.deepEqual(responseElements, { keyArn: KeyId, formerPolicySha256 })
  }
  const [own, ...more] = records.filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
  assert.deepEqual([own?.recipientAccountId, more.length], [otherId, 0])
  assert.equal(own?.serviceEventDetails?.['formerPolicy'], locked(otherId))
  assert.match(String(own?.serviceEventDetails?.['operator']), /\(uid \d+\)/)

  const figures = await scrape(server)
  assert.equal(figures.get('trent_break_glass_total{act="unlock-key"}'), 1)
  assert.equal(figures.get('trent_break_glass_total{act="reset-root"}'), 0)
  await receiver.takes(1)
  const [told] = receiver.taken
  const { source, account, resources, detail } = told ?? {}
  assert.deepEqual([source, account, resources], ['trent', otherId, [KeyId]])
  assert.equal(told?.['detail-type'], 'Trent Break Glass')
  assert.equal(detail?.['act'], 'unlock-key')
  assert.ok(server.logged.some((line) => line.includes('an operator broke the glass')))
})

test('what cannot be unlocked is refused, and sets off no alarm', async (t) => {
  const identities = await openIdentities(t)
  const { server, root } = identities
  const { arn } = await makeKey(root.kms)
  const unlock = (keyArn: string): Promise<unknown> =>
    callOperator(server.directory, 'UnlockKey', { keyArn })
  await assert.rejects(unlock(arn), /has the default policy already/)
  const absent = `arn:aws:kms:${region}:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
  await assert.rejects(unlock(absent), /NotFoundException.*There is no key/)
  await assert.rejects(unlock(arn.replace(region, 'nowhere-1')), /InvalidArnException/)
  await assert.rejects(unlock(arn.replace('arn:aws:', 'arn:aws-cn:')), /InvalidArnException/)
  await assert.rejects(unlock(arn.replace(/key\/.*/, 'alias/some')), /InvalidArnException/)
  await assert.rejects(unlock(`${arn}\n`), /NotFoundException|InvalidArn/)
  await assert.rejects(unlock('1234abcd-12ab-34cd-56ef-1234567890ab'), /InvalidArnException/)
  await assert.rejects(unlock('x'), /ValidationException/)
  assert.equal((await scrape(server)).get('trent_break_glass_total{act="unlock-key"}'), 0)
  const sealed = await startTestServer({ TRENT_SEAL: 'shamir' })
  t.after(() => sealed.stop())
  for (const operation of ['UnlockKey', 'ResetRoot']) {
    await assert.rejects(callOperator(sealed.directory, operation, {}), /its root key is not open/)
  }
})

test('the policy of an AWS managed key stays', async (t) => {
  const { server, root } = await openIdentities(t)
  const { KeyMetadata } = await root.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/ebs' }))
  const unlocked = callOperator(server.directory, 'UnlockKey', { keyArn: KeyMetadata?.Arn })
  await assert.rejects(unlocked, /ValidationException.*AWS managed key/)
})

test('a key that waits for its deletion is unlocked, and can then be kept', async (t) => {
  const identities = await openIdentities(t)
  const { server, root } = identities
  const { arn: KeyId } = await makeKey(root.kms)
  await root.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await lock(root, KeyId, accountId)
  await assert.rejects(root.kms.send(new CancelKeyDeletionCommand({ KeyId })))
  await callOperator(server.directory, 'UnlockKey', { keyArn: KeyId })
  await root.kms.send(new CancelKeyDeletionCommand({ KeyId }))
})

test('of a multi-Region key, only the replica that the ARN names is unlocked', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const there = server.client({ region: 'eu-central-1' })
  const here = server.client()
  const keyId = await makePrimary(here)
  await replicate(here, there, { KeyId: keyId, ReplicaRegion: 'eu-central-1' })
  for (const kms of [here, there]) await lock({ kms }, keyId, accountId)
  const keyArn = `arn:aws:kms:eu-central-1:${accountId}:key/${keyId}`
  await callOperator(server.directory, 'UnlockKey', { keyArn })
  await there.send(new DescribeKeyCommand({ KeyId: keyId }))
  await assert.rejects(here.send(new DescribeKeyCommand({ KeyId: keyId })))
})

test('a root user is reset: its credentials and all sessions from them end', async (t) => {
  const receiver = await startReceiver(t)
  const identities = await openIdentities(t, receiver.settings)
  const { as, server } = identities
  const other = await otherAccount(identities)
  const { Credentials } = await other.sts.send(new GetSessionTokenCommand({}))
  const session = as(credentialsOf(Credentials))
  await session.whoAmI()
  const reset = (of: string): Promise<unknown> =>
    callOperator(server.directory, 'ResetRoot', { accountId: of })
  const made = (await reset(otherId)) as CreatedAccount
  assert.partialDeepStrictEqual(await as(made).whoAmI(), { Account: otherId })
  for (const ended of [other, session]) {
    await denied(
      ended.sts.send(new GetCallerIdentityCommand({})),
      'InvalidClientTokenId',
      403,
      /security token included in the request is invalid/,
    )
  }
  const records = await recordsNamed(server.directory, 'ResetRoot')
  const owners = records.map(({ recipientAccountId }) => recipientAccountId)
  assert.deepEqual(owners.toSorted(), [accountId, otherId])
  assert.ok(records.every(({ userIdentity }) => userIdentity['type'] === 'Operator'))
  const texts = (await recordTexts(server.directory)).join('\n')
  assert.ok(texts.includes(made.accessKeyId) && !texts.includes(made.secretAccessKey))
  assert.ok(!server.logged.some((line) => line.includes(made.secretAccessKey)))
  await receiver.takes(1)
  assert.deepEqual(receiver.taken[0]?.resources, [`arn:aws:iam::${otherId}:root`])

  await assert.rejects(reset(accountId), /ValidationException.*that of the settings/)
  await assert.rejects(reset('999988887777'), /NotFoundException.*There is no account/)
  await assert.rejects(reset('x'), /ValidationException/)
  assert.equal((await scrape(server)).get('trent_break_glass_total{act="reset-root"}'), 1)
})

test('the first account is reset too, unless the settings give its credentials', async (t) => {
  const random = { TRENT_ROOT_ACCESS_KEY_ID: undefined, TRENT_ROOT_SECRET_ACCESS_KEY: undefined }
  const identities = await openIdentities(t, random as unknown as Readonly<Record<string, string>>)
  const { as, server } = identities
  const made = await callOperator(server.directory, 'ResetRoot', { accountId })
  assert.partialDeepStrictEqual(await as(made as CreatedAccount).whoAmI(), { Account: accountId })
})

test('the command asks for what is typed, and does nothing without it', async (t) => {
  const identities = await openIdentities(t)
  const { server, root } = identities
  await otherAccount(identities)
  const trent = trentOf(identities)
  await assert.rejects(
    trent('break-glass', 'reset-root', otherId),
    /type it at a terminal, or say --yes/,
  )
  assert.equal((await recordsNamed(server.directory, 'ResetRoot')).length, 0)
  const text = await trent('break-glass', 'reset-root', otherId, '--yes')
  assert.match(text, /^\[444455556666\]\naws_access_key_id = \S+\naws_secret_access_key = \S+$/m)
  const { arn } = await makeKey(root.kms)
  await lock(root, arn, accountId)
  await assert.rejects(trent('break-glass', 'unlock-key', arn), /say --yes/)
  assert.match(await trent('break-glass', 'unlock-key', arn, '--yes'), /has the default key policy/)
  await root.kms.send(new DescribeKeyCommand({ KeyId: arn }))
})

test('a node that does not know the latest changes breaks no glass', () => {
  const act = { act: 'unlock-key', accountId, region, arn: 'arn', operator: 'alice' } as const
  const parts = { store: { freshness: { refusal: () => 'it is behind' } } }
  const breakGlass = breakGlassWith({}, parts as unknown as Parameters<typeof breakGlassWith>[1])
  assert.throws(() => breakGlass(act), { code: 'ServiceUnavailableException' })
})
