/** GetKeyLastUsage against the calls that were made, and against the audit records they left. @module */
import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyLastUsageCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  type GetKeyLastUsageCommandOutput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer, type TestServer } from '../harness.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { answerOf, makeKey, refused } from './sdk.ts'

const Plaintext = Buffer.from('x')
const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()

interface Used {
  readonly $metadata: { readonly requestId?: string }
}

function usageOf(KeyId: string, client = kms): Promise<GetKeyLastUsageCommandOutput> {
  return client.send(new GetKeyLastUsageCommand({ KeyId }))
}

async function seal(KeyId: string, client = kms): Promise<Uint8Array> {
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
  assert(CiphertextBlob)
  return CiphertextBlob
}

type Record = AuditRecord & {
  readonly trent: {
    readonly keyEvents?: readonly { readonly ARN: string; readonly eventID: string }[]
  }
}

/** The one record that holds this event id, its own or as that of a key. */
async function recordOf(eventId: string, of: TestServer = server): Promise<Record> {
  const records = (await recordsOf(of.directory)) as readonly Record[]
  const [record, ...more] = records.filter(
    ({ eventID, trent }) =>
      eventID === eventId || trent?.keyEvents?.some((event) => event.eventID === eventId),
  )
  assert(record, `a record holds ${eventId}`)
  assert.equal(more.length, 0, 'one record holds it')
  return record
}

/** The last usage of the key is that of this very call. */
async function lastUsedBy(
  keyId: string,
  operation: string,
  { $metadata: { requestId } }: Used,
  client = kms,
  of: TestServer = server,
): Promise<{ readonly eventId: string; readonly record: Record }> {
  const { KeyLastUsage } = await usageOf(keyId, client)
  const { Operation, Timestamp, CloudTrailEventId, KmsRequestId } = KeyLastUsage ?? {}
  assert.deepEqual([Operation, KmsRequestId], [operation, requestId])
  assert(CloudTrailEventId && Timestamp)
  const record = await recordOf(CloudTrailEventId, of)
  assert.deepEqual([record.eventName, record.requestID], [operation, requestId])
  assert.equal(record.eventTime, `${Timestamp.toISOString().slice(0, 19)}Z`)
  return { eventId: CloudTrailEventId, record }
}

async function neverUsed(KeyId: string, client = kms): Promise<void> {
  assert.deepEqual((await usageOf(KeyId, client)).KeyLastUsage, {})
}

test('a key that was never used has an empty last usage, tracked since its creation', async () => {
  const { keyId, arn } = await makeKey(kms)
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
  for (const KeyId of [keyId, arn]) {
    assert.deepEqual(await answerOf(usageOf(KeyId)), {
      KeyId: keyId,
      KeyLastUsage: {},
      TrackingStartDate: KeyMetadata?.CreationDate,
      KeyCreationDate: KeyMetadata?.CreationDate,
    })
  }
})

const uses: Readonly<{
  [operation: string]: (KeyId: string, sealed: Uint8Array) => Promise<Used>
}> = {
  Encrypt: (KeyId) => kms.send(new EncryptCommand({ KeyId, Plaintext })),
  Decrypt: (_KeyId, CiphertextBlob) => kms.send(new DecryptCommand({ CiphertextBlob })),
  GenerateDataKey: (KeyId) => kms.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 1 })),
  GenerateDataKeyWithoutPlaintext: (KeyId) =>
    kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1 })),
  ReEncrypt: (DestinationKeyId, CiphertextBlob) =>
    kms.send(new ReEncryptCommand({ DestinationKeyId, CiphertextBlob })),
}

for (const [operation, run] of Object.entries(uses)) {
  test(`${operation} is the last usage of its key at once, under the event of its record`, async () => {
    const { keyId } = await makeKey(kms)
    const sealed = await seal(keyId)
    const used = await run(keyId, sealed)
    const { eventId, record } = await lastUsedBy(keyId, operation, used)
    assert.equal(eventId, record.eventID)
    assert(!Object.hasOwn(record.trent, 'keyEvents'))
  })
}

test('ReEncrypt is a use of both keys, each under an event id of its own in the one record', async () => {
  const [source, destination] = [await makeKey(kms), await makeKey(kms)]
  const CiphertextBlob = await seal(source.keyId)
  await neverUsed(destination.keyId)
  const before = (await recordsOf(server.directory)).length
  const command = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: destination.keyId })
  const used = await kms.send(command)
  assert.equal((await recordsOf(server.directory)).length, before + 1)
  const from = await lastUsedBy(source.keyId, 'ReEncrypt', used)
  const to = await lastUsedBy(destination.keyId, 'ReEncrypt', used)
  assert.notEqual(from.eventId, to.eventId)
  assert.equal(from.record.eventID, from.eventId)
  assert.equal(to.record.eventID, from.eventId)
  assert.deepEqual(from.record.trent.keyEvents, [{ ARN: destination.arn, eventID: to.eventId }])
})

test('what fails, what is refused, a dry run and what uses no material are no usage', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const sealed = await seal(KeyId)
  const first = await usageOf(KeyId)
  const other = await makeKey(kms)
  const EncryptionContext = { not: 'the one' }
  await refused(
    kms.send(new DecryptCommand({ KeyId, CiphertextBlob: sealed, EncryptionContext })),
    'InvalidCiphertextException',
  )
  await refused(
    kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true })),
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )
  const wrongContext = { CiphertextBlob: sealed, SourceEncryptionContext: EncryptionContext }
  const reEncrypt = new ReEncryptCommand({ ...wrongContext, DestinationKeyId: other.keyId })
  await refused(kms.send(reEncrypt), 'InvalidCiphertextException')
  const dryRun = { CiphertextBlob: sealed, DestinationKeyId: other.keyId, DryRun: true }
  await assert.rejects(kms.send(new ReEncryptCommand(dryRun)), { name: 'DryRunOperationException' })
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await kms.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(seal(KeyId), { name: 'DisabledException' })
  assert.deepEqual((await usageOf(KeyId)).KeyLastUsage, first.KeyLastUsage)
  await neverUsed(other.keyId)
  const records = (await recordsOf(server.directory)) as readonly Record[]
  for (const { errorCode, trent } of records) {
    if (errorCode !== undefined) assert(!Object.hasOwn(trent, 'keyEvents'))
  }
})

test('the last usage of a key can be asked for in every state, and not by an alias', async () => {
  const { keyId } = await makeKey(kms)
  const used = await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  await lastUsedBy(keyId, 'Encrypt', used)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
  await lastUsedBy(keyId, 'Encrypt', used)
  const { keyId: TargetKeyId } = await makeKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/used', TargetKeyId }))
  const prefix = `arn:aws:kms:${region}:${accountId}`
  for (const KeyId of ['alias/used', `${prefix}:alias/used`]) {
    await assert.rejects(usageOf(KeyId), { name: 'InvalidArnException' })
  }
  const unknown = '00000000-1111-4222-8333-444444444444'
  await refused(
    usageOf(unknown),
    'NotFoundException',
    `Key '${prefix}:key/${unknown}' does not exist`,
  )
})

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${server.url}/_trent/test/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 200)
}

test('the clock that tests move is that of the last usage', async () => {
  const { keyId } = await makeKey(kms)
  await post('clock', { advance: '91d' })
  const used = await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  await lastUsedBy(keyId, 'Encrypt', used)
  const { KeyLastUsage, KeyCreationDate } = await usageOf(keyId)
  const days = (Number(KeyLastUsage?.Timestamp) - Number(KeyCreationDate)) / 86_400_000
  assert.equal(Math.floor(days), 91)
})

test('a reset leaves no usage of what there was', async () => {
  const { keyId } = await makeKey(kms)
  await seal(keyId)
  await post('reset', {})
  await assert.rejects(usageOf(keyId), { name: 'NotFoundException' })
  const next = await makeKey(kms)
  await neverUsed(next.keyId)
  const used = await kms.send(new EncryptCommand({ KeyId: next.keyId, Plaintext }))
  await lastUsedBy(next.keyId, 'Encrypt', used)
})

async function restarted(t: TestContext, running: TestServer): Promise<KMSClient> {
  await running.stop('keep')
  const again = await startTestServer({}, { directory: running.directory })
  t.after(() => again.stop())
  return again.client()
}

test('a clean stop loses no usage', async (t) => {
  const first = await startTestServer()
  const client = first.client()
  const keys = [await makeKey(client), await makeKey(client), await makeKey(client)] as const
  const CiphertextBlob = await seal(keys[0].keyId, client)
  const DestinationKeyId = keys[1].keyId
  await client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
  const before = await Promise.all(keys.map(({ keyId }) => answerOf(usageOf(keyId, client))))
  const again = await restarted(t, first)
  const later = await Promise.all(keys.map(({ keyId }) => answerOf(usageOf(keyId, again))))
  assert.deepEqual(later, before)
})

test('a usage that was saved is replaced by the next one', async (t) => {
  const first = await startTestServer()
  const client = first.client()
  const { keyId } = await makeKey(client)
  await seal(keyId, client)
  const again = await restarted(t, first)
  const used = await again.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  const { KeyLastUsage } = await usageOf(keyId, again)
  assert.equal(KeyLastUsage?.KmsRequestId, used.$metadata.requestId)
})

test('the use of another account’s key is its owner’s to see, under an event id of its own', async (t) => {
  const two = await startWithTwoAccounts()
  t.after(() => two.stop())
  const [owner, guest] = [two.client(), two.otherClient()]
  const allow = (account: string): object => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  })
  const Statement = [allow(accountId), allow(otherAccountId)]
  const shared = await makeKey(owner, {
    Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
  })
  const own = await makeKey(guest)
  const CiphertextBlob = await seal(shared.arn, guest)
  const command = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: own.keyId })
  const used = await guest.send(command)
  const from = await lastUsedBy(shared.keyId, 'ReEncrypt', used, owner, two)
  const to = await lastUsedBy(own.keyId, 'ReEncrypt', used, guest, two)
  assert.equal(to.eventId, to.record.eventID)
  assert.equal(from.eventId, from.record.eventID)
  assert.notEqual(from.eventId, to.eventId)
  assert.deepEqual(
    [from, to].map(({ record }) => record.trent.keyEvents),
    [undefined, undefined],
  )
  await assert.rejects(usageOf(shared.arn, guest), { name: 'AccessDeniedException' })
})
