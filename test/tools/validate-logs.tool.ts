/**
 * A day of traffic, delivered to a real S3 server, under `aws cloudtrail validate-logs` as AWS ships it:
 * whole, and then with whatever can be done to it.
 * @module
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { pythonClients } from '../compat/python-clients.ts'
import { advance } from '../compat/test-clock.ts'
import { accountId, credentials, region, startTestServer, type TestServer } from '../harness.ts'
import { bytesOf, bucket, keysIn, makeBucket, type S3Endpoint } from '../compat/s3-endpoint.ts'
import { validateLogs, type Validated } from '../compat/validate-logs.ts'
import { gateway, openGateway } from './s3-gateway.ts'

const python = await pythonClients()
const skip = gateway.skip === false ? python.skip : gateway.skip

interface Day extends Validated {
  readonly server: TestServer
}

const hours = 24

/** Calls in two Regions in each hour; the clock moves, and the night brings none. */
async function day(t: TestContext, opened: S3Endpoint): Promise<Day> {
  const server = await startTestServer({ TRENT_TEST_API: 'on', ...opened.settings })
  t.after(() => server.stop())
  const from = new Date((await advance(server.url, '1s')) - 1000).toISOString()
  const elsewhere = server.client({ region: 'eu-north-1' })
  for (let hour = 0; hour < hours; hour += 1) {
    if (hour % 3 !== 2) {
      await work(server.client())
      await work(elsewhere)
    }
    await advance(server.url, '1h')
  }
  const until = new Date(await advance(server.url, '1h')).toISOString()
  return { server, s3Url: opened.url, bin: python.bin, from, until }
}

async function work(kms: KMSClient): Promise<void> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  for (let n = 0; n < 3; n += 1) {
    await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  }
}

async function put({ s3 }: S3Endpoint, key: string, bytes: Buffer): Promise<void> {
  const encoding = { ContentEncoding: 'gzip', ContentType: 'application/json' }
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ...encoding }))
}

test('validate-logs says valid of a day, and finds what was done to it', { skip }, async (t) => {
  const opened = await openGateway(t)
  await opened.start()
  await makeBucket(opened)
  const served = await day(t, opened)
  for (const where of [region, 'eu-north-1']) {
    const whole = await validateLogs(served, where)
    assert.equal(whole.status, 0, whole.text)
    assert.match(whole.text, /(\d+)\/\1 digest files valid/)
    assert.match(whole.text, /(\d+)\/\1 log files valid/)
    const [, digests = '0'] = /(\d+)\/\d+ digest files valid/.exec(whole.text) ?? []
    t.diagnostic(`${where}: ${digests} digests valid`)
    assert.ok(Number(digests) >= hours - 1, whole.text)
  }
  const logs = (await keysIn(opened)).filter(
    (key) => key.includes('/CloudTrail/') && key.includes(`/${region}/`),
  )
  const [one = '', other = '', third = ''] = logs
  const [first, second] = [await bytesOf(opened, one), await bytesOf(opened, other)]

  const text = gunzipSync(first).toString()
  await put(opened, one, gzipSync(text.replace('"eventVersion":"1.11"', '"eventVersion":"1.12"')))
  const changed = await validateLogs(served, region)
  assert.equal(changed.status, 1)
  assert.match(changed.text, new RegExp(`${one}\\s+INVALID: hash value doesn't match`))
  assert.match(changed.text, /log files INVALID|1\/\d+ log files INVALID/)

  await put(opened, one, second)
  await put(opened, other, first)
  const swapped = await validateLogs(served, region)
  assert.equal(swapped.status, 1)
  for (const key of [one, other]) {
    assert.match(swapped.text, new RegExp(`${key}\\s+INVALID: hash value doesn't match`))
  }
  await put(opened, one, first)
  await put(opened, other, second)

  await opened.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: third }))
  const removed = await validateLogs(served, region)
  assert.equal(removed.status, 1)
  assert.match(removed.text, new RegExp(`${third}\\s+INVALID: not found`))
})

test('a target that is down for an hour gets all of it afterwards, once', { skip }, async (t) => {
  const opened = await openGateway(t)
  const server = await startTestServer({ TRENT_TEST_API: 'on', ...opened.settings })
  t.after(() => server.stop())
  for (let minutes = 0; minutes < 60; minutes += 10) {
    await work(server.client())
    await advance(server.url, '10m')
  }
  await opened.start()
  await makeBucket(opened)
  const ids: string[] = []
  for (let tries = 0; tries < 90 && ids.length < 24; tries += 1) {
    await sleep(1000)
    ids.length = 0
    for (const key of (await keysIn(opened)).filter((each) => each.includes('/CloudTrail/'))) {
      const { Records } = JSON.parse(gunzipSync(await bytesOf(opened, key)).toString()) as {
        Records: { eventID: string; eventName: string; eventSource: string }[]
      }
      const made = Records.filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
      ids.push(...made.map(({ eventID }) => eventID))
    }
  }
  assert.equal(ids.length, 24)
  assert.equal(new Set(ids).size, 24)
})

test('objects have CloudTrail’s type, encoding and metadata', { skip }, async (t) => {
  const opened = await openGateway(t)
  await opened.start()
  await makeBucket(opened)
  const server = await startTestServer({ TRENT_TEST_API: 'on', ...opened.settings })
  t.after(() => server.stop())
  await work(server.client())
  await advance(server.url, '1h')
  await advance(server.url, '1h')
  const all = await keysIn(opened)
  const digest = all.find((key) => key.includes('/CloudTrail-Digest/'))
  assert.ok(digest !== undefined && all.length >= 2)
  for (const Key of all) {
    const head = await opened.s3.send(new HeadObjectCommand({ Bucket: bucket, Key }))
    assert.equal(head.ContentType, 'application/json')
    assert.equal(head.ContentEncoding, 'gzip')
    const names = Object.keys(head.Metadata ?? {}).sort()
    const wanted = Key.includes('/CloudTrail-Digest/') ? ['signature', 'signature-algorithm'] : []
    assert.deepEqual(names, wanted)
  }
})

test('a server that takes no notice of SSE-KMS keeps no plain file', { skip }, async (t) => {
  const opened = await openGateway(t)
  await opened.start()
  await makeBucket(opened)
  const arn = `arn:aws:kms:${region}:${accountId}:key/00000000-0000-4000-8000-000000000000`
  const settings = { ...opened.settings, TRENT_AUDIT_KMS_KEY_ID: arn }
  const server = await startTestServer({ TRENT_TEST_API: 'on', ...settings })
  t.after(() => server.stop())
  await work(server.client())
  await advance(server.url, '1h')
  assert.deepEqual(await keysIn(opened), [])
  assert.ok(server.logged.some((line) => /could not be delivered/.test(line)))
})

test('a trail that an account made gets what it takes, and has its status', { skip }, async (t) => {
  const opened = await openGateway(t)
  await opened.start()
  await makeBucket(opened)
  await makeBucket(opened, 'of-the-team')
  const server = await startTestServer({
    TRENT_TEST_API: 'on',
    ...opened.settings,
    TRENT_AUDIT_BUCKETS: `of-the-team=${accountId}`,
  })
  t.after(() => server.stop())
  const trails = new CloudTrailClient({ region, endpoint: server.url, credentials, maxAttempts: 1 })
  t.after(() => trails.destroy())
  const made = { Name: 'team', S3BucketName: 'of-the-team', S3KeyPrefix: 'p' }
  await trails.send(new CreateTrailCommand({ ...made, IsMultiRegionTrail: true }))
  const EventSelectors = [
    { ReadWriteType: 'WriteOnly' as const, IncludeManagementEvents: true, DataResources: [] },
  ]
  await trails.send(new PutEventSelectorsCommand({ TrailName: 'team', EventSelectors }))
  await trails.send(new StartLoggingCommand({ Name: 'team' }))
  await work(server.client())
  await advance(server.url, '10m')
  const { Contents = [] } = await opened.s3.send(
    new ListObjectsV2Command({ Bucket: 'of-the-team' }),
  )
  assert.ok(Contents.length > 0)
  const names: string[] = []
  for (const { Key = '' } of Contents) {
    assert.ok(Key.startsWith(`p/AWSLogs/${accountId}/CloudTrail/`), Key)
    const { Body } = await opened.s3.send(new GetObjectCommand({ Bucket: 'of-the-team', Key }))
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
    const { Records } = JSON.parse(gunzipSync(bytes).toString()) as {
      Records: { eventName: string; readOnly: boolean }[]
    }
    assert.ok(Records.every(({ readOnly }) => !readOnly))
    names.push(...Records.map(({ eventName }) => eventName))
  }
  assert.ok(names.includes('CreateKey'))
  assert.ok(!names.includes('Encrypt'))
  const status = await trails.send(new GetTrailStatusCommand({ Name: 'team' }))
  assert.equal(status.IsLogging, true)
  assert.ok(status.LatestDeliveryTime instanceof Date)
  const refused = new CreateTrailCommand({ Name: 'other', S3BucketName: 'of-others' })
  await assert.rejects(trails.send(refused), { name: /S3Bucket/ })
})
