/** What the webhook of the settings is told of, by the official SDK and the clock that tests move. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  type KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { assertSigned, startReceiver, type Receiver, type Told } from '../events/receiver.ts'
import { accountId, region, startTestServer, type TestServer } from '../harness.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { importing } from './importing.ts'
import { settled } from './multi-region.ts'
import { recordsOf } from './records.ts'
import { rotating } from './rotating.ts'
import { makeKey } from './sdk.ts'
import { advance } from './test-clock.ts'

const Plaintext = Buffer.from('x')

async function open(
  t: TestContext,
  start: (settings: Parameters<typeof startTestServer>[0]) => Promise<TestServer> = startTestServer,
): Promise<{ readonly server: TestServer; readonly receiver: Receiver }> {
  const receiver = await startReceiver(t)
  const server = await start({ TRENT_TEST_API: 'on', ...receiver.settings })
  t.after(() => server.stop())
  return { server, receiver }
}

const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`

/** Makes one more event and waits for it. Events that were made before it would have arrived by then. */
async function nothingElseArrives(
  kms: KMSClient,
  receiver: Receiver,
  count: number,
): Promise<void> {
  const { keyId } = await makeKey(kms)
  await rotating(kms).rotate(keyId)
  await receiver.takes(count + 1)
  assert.deepEqual(receiver.heard.at(-1)?.told.resources, [arnOf(keyId)])
  assert.equal(receiver.heard.length, count + 1)
}

/** Ids and times are of the moment. */
function assertServiceEvent(told: Told | undefined, detailType: string, keyId: string): void {
  assert.ok(told)
  const { id, time, ...rest } = told
  assert.match(id, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.deepEqual(rest, {
    version: '0',
    'detail-type': detailType,
    source: 'aws.kms',
    account: accountId,
    region,
    resources: [arnOf(keyId)],
    detail: { 'key-id': keyId },
  })
  assert.deepEqual(Object.keys(told), [
    'version',
    'id',
    'detail-type',
    'source',
    'account',
    'time',
    'region',
    'resources',
    'detail',
  ])
}

test('both kinds of rotation, the expiry of material and a deletion are told', async (t) => {
  const { server, receiver } = await open(t)
  const kms = server.client()
  const { keyId } = await makeKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  await rotating(kms).rotate(keyId)
  await receiver.takes(1)
  await advance(server.url, '90d')
  await receiver.takes(2)
  const { makeExternal, parameters, send } = importing(kms)
  const external = await makeExternal()
  const now = await advance(server.url, '1s')
  const ValidTo = new Date(Math.ceil(now / 1000) * 1000 + 3_600_000)
  await send(external, randomBytes(32), await parameters(external), { ValidTo })
  await advance(server.url, '2h')
  await receiver.takes(3)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }))
  const deleted = await advance(server.url, '7d')
  await receiver.takes(4)
  const [onDemand, automatic, expired, gone] = receiver.taken
  assertServiceEvent(onDemand, 'KMS CMK Rotation', keyId)
  assertServiceEvent(automatic, 'KMS CMK Rotation', keyId)
  assertServiceEvent(expired, 'KMS Imported Key Material Expiration', external)
  assertServiceEvent(gone, 'KMS CMK Deletion', keyId)
  assert.ok(Math.abs(Date.parse(String(gone?.time)) - deleted) < 60_000)
  for (const heard of receiver.heard) {
    assertSigned(heard)
    assert.equal(heard.headers['webhook-id'], heard.told.id)
    assert.equal(heard.headers['content-type'], 'application/json')
    assert.ok(Math.abs(Number(heard.headers['webhook-timestamp']) * 1000 - Date.now()) < 60_000)
  }
  assert.equal(new Set(receiver.taken.map(({ id }) => id)).size, 4)
  assert.equal(receiver.heard.length, 4)
})

test('a refused use of a key that is disabled or pending deletion is told with its record', async (t) => {
  const { server, receiver } = await open(t)
  const kms = server.client()
  const used = await makeKey(kms)
  const disabled = await makeKey(kms)
  const dying = await makeKey(kms)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: dying.keyId, Plaintext }))
  const mine = await kms.send(new EncryptCommand({ KeyId: used.keyId, Plaintext }))
  await kms.send(new DisableKeyCommand({ KeyId: disabled.keyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying.keyId }))
  // What no state refuses, and what is no use of a key, tells nobody.
  await kms.send(new DecryptCommand({ CiphertextBlob: mine.CiphertextBlob }))
  const described = { KeyId: dying.keyId, Description: 'y' }
  await assert.rejects(kms.send(new UpdateKeyDescriptionCommand(described)), {
    name: 'KMSInvalidStateException',
  })
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })), {
    name: 'KMSInvalidStateException',
    message: `${dying.arn} is pending deletion.`,
  })
  await receiver.takes(1)
  const reEncrypt = { CiphertextBlob: mine.CiphertextBlob, DestinationKeyId: disabled.keyId }
  await assert.rejects(kms.send(new ReEncryptCommand(reEncrypt)), {
    name: 'DisabledException',
    message: `${disabled.arn} is disabled.`,
  })
  await receiver.takes(2)
  const records = await recordsOf(server.directory)
  const [first, second] = receiver.taken
  for (const [told, name, code] of [
    [first, 'Decrypt', 'KMSInvalidStateException'],
    [second, 'ReEncrypt', 'DisabledException'],
  ] as const) {
    assert.ok(told)
    const { id, time, detail, ...rest } = told
    assert.deepEqual(rest, {
      version: '0',
      'detail-type': 'AWS API Call via CloudTrail',
      source: 'aws.kms',
      account: accountId,
      region,
      resources: [],
    })
    const record = records.find(
      ({ eventName, errorCode }) => eventName === name && errorCode === code,
    )
    assert.ok(record)
    assert.deepEqual(detail, record)
    assert.equal(record.eventTime, time)
    assert.notEqual(record.eventID, id)
  }
  for (const heard of receiver.heard) assertSigned(heard)
  assert.equal(receiver.heard.length, 2)
})

test('refused uses of one key in a minute are one event', async (t) => {
  const { server, receiver } = await open(t)
  const kms = server.client()
  const { keyId: KeyId } = await makeKey(kms)
  await kms.send(new DisableKeyCommand({ KeyId }))
  for (let n = 0; n < 20; n += 1) {
    await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext })), {
      name: 'DisabledException',
    })
  }
  await receiver.takes(1)
  await nothingElseArrives(kms, receiver, 1)
  const figures = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(figures, /^trent_events_total\{outcome="delivered"\} 2$/m)
  assert.match(figures, /^trent_events_total\{outcome="limited"\} 19$/m)
  assert.match(figures, /^trent_events_waiting 0$/m)
  assert.match(figures, /^trent_events_oldest_waiting_seconds 0$/m)
})

test('the account of a key is told of a use that another account was refused', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startWithTwoAccounts(receiver.settings)
  t.after(() => server.stop())
  const kms = server.client()
  const { keyId, arn } = await makeKey(kms)
  const Principal = { AWS: [accountId, otherAccountId].map((id) => `arn:aws:iam::${id}:root`) }
  const Statement = [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  const other = server.otherClient()
  await assert.rejects(other.send(new EncryptCommand({ KeyId: arn, Plaintext })), {
    name: 'DisabledException',
  })
  await receiver.takes(1)
  const [told] = receiver.taken
  assert.equal(told?.account, accountId)
  assert.equal(told?.detail['recipientAccountId'], accountId)
  const records = await recordsOf(server.directory)
  const theirs = records.find(({ eventID }) => eventID === told?.detail['eventID'])
  assert.deepEqual(told?.detail, theirs)
  // Whoever may not use the key learns nothing, and nobody is told of him.
  await kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy: ownPolicy(accountId) }))
  await assert.rejects(other.send(new EncryptCommand({ KeyId: arn, Plaintext })), {
    name: 'AccessDeniedException',
  })
  await nothingElseArrives(kms, receiver, 1)
})

function ownPolicy(account: string): string {
  const Principal = { AWS: `arn:aws:iam::${account}:root` }
  const Statement = [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }]
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

test('of a multi-Region key its rotation is told, and no synchronization', async (t) => {
  const { server, receiver } = await open(t)
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key')
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
  const replica = server.client({ region: 'eu-west-1' })
  await settled(replica, KeyId)
  await rotating(kms).rotate(KeyId)
  await receiver.takes(1)
  await replica.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await advance(server.url, '7d')
  await receiver.takes(2)
  await nothingElseArrives(kms, receiver, 2)
  assert.deepEqual(
    receiver.taken.slice(0, 2).map((told) => [told['detail-type'], told.region]),
    [
      ['KMS CMK Rotation', region],
      ['KMS CMK Deletion', 'eu-west-1'],
    ],
  )
})

test('where no webhook is set, no event is made', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const { keyId: KeyId } = await makeKey(kms)
  await rotating(kms).rotate(KeyId)
  await kms.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext })))
  const figures = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(figures, /^trent_events_waiting 0$/m)
})

test('a webhook that hangs or fails keeps no call waiting, and gets the same again', async (t) => {
  const { server, receiver } = await open(t)
  let hanging: ServerResponse | undefined
  receiver.answer((response) => (hanging = response))
  const kms = server.client()
  const { keyId } = await makeKey(kms)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }))
  await advance(server.url, '7d')
  // Trent gives an attempt up after ten seconds. On a slow machine the calls may miss some of them.
  let answeredMeanwhile = false
  for (let attempt = 1; attempt <= 4 && !answeredMeanwhile; attempt += 1) {
    await receiver.hears(attempt)
    const during = hanging
    await kms.send(new ListKeysCommand({}))
    await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: keyId })), {
      name: 'NotFoundException',
    })
    await advance(server.url, '1h')
    answeredMeanwhile = during?.destroyed === false
  }
  assert.ok(answeredMeanwhile)
  const heardBefore = receiver.heard.length
  const waiting = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(waiting, /^trent_events_waiting 1$/m)
  const [, oldest] = /^trent_events_oldest_waiting_seconds (\S+)$/m.exec(waiting) ?? []
  assert.ok(Number(oldest) >= 3600, waiting)
  receiver.answer(503)
  await receiver.hears(heardBefore + 1)
  receiver.answer(200)
  await receiver.takes(1)
  const bodies = new Set(receiver.heard.map(({ body }) => body))
  assert.equal(bodies.size, 1)
  for (const heard of receiver.heard) assertSigned(heard)
  const figures = await (await fetch(`${server.url}/metrics`)).text()
  const [, failed] = /^trent_events_total\{outcome="failed"\} (\d+)$/m.exec(figures) ?? []
  assert.equal(Number(failed), receiver.heard.length - 1)
  assert.ok(server.logged.some((line) => line.includes('did not take events')))
})
