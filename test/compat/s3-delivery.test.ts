/**
 * Delivery to an S3 server of somebody else's, moto's, under `aws cloudtrail validate-logs`. The same and
 * more is tried with a server that keeps its objects on disk, in `test/tools/`.
 * @module
 */
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { traffic } from '../audit/delivery/delivered.ts'
import { accountId, credentials, region, startTestServer, type TestServer } from '../harness.ts'
import {
  freePort,
  serve as serveProcess,
  temporaryFolder,
  trentEnded,
} from '../start/serve-process.ts'
import { pythonClients } from './python-clients.ts'
import { bucket, bytesOf, keysIn, makeBucket, openS3, type S3Endpoint } from './s3-endpoint.ts'
import { advance } from './test-clock.ts'
import { validateLogs } from './validate-logs.ts'

const python = await pythonClients()
const { skip } = python

/** Its objects are in memory, and go with it. */
function openMoto(t: TestContext): Promise<S3Endpoint> {
  return openS3(t, (port) =>
    Promise.resolve({
      program: join(python.bin, 'python'),
      args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    }),
  )
}

async function serve(t: TestContext, settings: Record<string, string>): Promise<TestServer> {
  const server = await startTestServer({ TRENT_TEST_API: 'on', ...settings })
  t.after(() => server.stop())
  return server
}

const isLog = (key: string): boolean => key.includes('/CloudTrail/')

async function requestIds(s3: S3Endpoint): Promise<readonly string[]> {
  const ids: string[] = []
  for (const key of (await keysIn(s3)).filter(isLog)) {
    const { Records } = JSON.parse(gunzipSync(await bytesOf(s3, key)).toString()) as {
      Records: { requestID: string }[]
    } // written by the server under test
    ids.push(...Records.map(({ requestID }) => requestID))
  }
  return ids
}

test(
  'an S3 server that is away for an hour gets everything later, and validate-logs says valid',
  { skip },
  async (t) => {
    const s3 = await openMoto(t)
    const server = await serve(t, { ...s3.settings })
    const from = new Date((await advance(server.url, '1s')) - 1000).toISOString()
    const ids: string[] = []
    for (let minutes = 0; minutes < 60; minutes += 10) {
      ids.push(...(await traffic(server, 2)))
      await advance(server.url, '10m')
    }
    assert.ok(server.logged.some((line) => /could not be delivered/.test(line)))
    const spool = join(server.directory, 'delivery')
    const waiting = await Promise.all(
      (await readdir(spool)).map((name) => readFile(join(spool, name))),
    )
    assert.ok(waiting.length >= 6)

    await s3.start()
    await makeBucket(s3)
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await keysIn(s3)).length >= waiting.length) break
      await sleep(500)
    }
    const stored = await Promise.all((await keysIn(s3)).map((key) => bytesOf(s3, key)))
    for (const bytes of waiting) assert.ok(stored.some((each) => each.equals(bytes)))
    const found = (await requestIds(s3)).filter((id) => ids.includes(id))
    assert.deepEqual(found.toSorted(), ids.toSorted())

    await advance(server.url, '1h')
    const until = new Date(await advance(server.url, '1h')).toISOString()
    const asked = { server, s3Url: s3.url, bin: python.bin, from, until }
    const whole = await validateLogs(asked, region)
    assert.equal(whole.status, 0, whole.text)
    assert.match(whole.text, /(\d+)\/\1 digest files valid/)
    assert.match(whole.text, /(\d+)\/\1 log files valid/)

    const key = (await keysIn(s3)).find(isLog) ?? ''
    const text = gunzipSync(await bytesOf(s3, key)).toString()
    const changed = gzipSync(text.replace('"eventVersion":"1.11"', '"eventVersion":"1.12"'))
    await s3.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: changed, ContentEncoding: 'gzip' }),
    )
    const tampered = await validateLogs(asked, region)
    assert.equal(tampered.status, 1)
    assert.match(tampered.text, new RegExp(`${key}\\s+INVALID: hash value doesn't match`))
  },
)

test(
  'files of a trail with a KMS key are stored under it, as the S3 server answers',
  { skip },
  async (t) => {
    const s3 = await openMoto(t)
    await s3.start()
    await makeBucket(s3)
    await makeBucket(s3, 'of-the-team')
    const server = await serve(t, {
      ...s3.settings,
      TRENT_AUDIT_KMS_KEY_ID: `arn:aws:kms:${region}:${accountId}:key/00000000-0000-4000-8000-000000000000`,
      TRENT_AUDIT_BUCKETS: `of-the-team=${accountId}`,
    })
    const { KeyMetadata } = await server.client().send(new CreateKeyCommand({}))
    const trails = new CloudTrailClient({
      region,
      endpoint: server.url,
      credentials,
      maxAttempts: 1,
    })
    t.after(() => trails.destroy())
    const made = { Name: 'team', S3BucketName: 'of-the-team', KmsKeyId: KeyMetadata?.Arn }
    await trails.send(new CreateTrailCommand(made))
    await trails.send(new StartLoggingCommand({ Name: 'team' }))
    await traffic(server, 2)
    await advance(server.url, '10m')
    const wanted = [
      [bucket, `arn:aws:kms:${region}:${accountId}:key/00000000-0000-4000-8000-000000000000`],
      ['of-the-team', KeyMetadata?.Arn],
    ] as const
    for (const [Bucket, keyArn] of wanted) {
      const keys = await keysIn(s3, Bucket)
      assert.ok(keys.length > 0, Bucket)
      for (const Key of keys) {
        const head = await s3.s3.send(new HeadObjectCommand({ Bucket, Key }))
        assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', keyArn])
        assert.equal(head.ContentEncoding, 'gzip')
      }
    }
    const status = await trails.send(new GetTrailStatusCommand({ Name: 'team' }))
    assert.ok(status.LatestDeliveryTime instanceof Date)
    assert.equal(status.LatestDeliveryError, undefined)
  },
)

test('a restore takes away again what the log in an S3 bucket says', { skip }, async (t) => {
  const s3 = await openMoto(t)
  await s3.start()
  await makeBucket(s3)
  const server = await serve(t, { ...s3.settings })
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { KeyId } = KeyMetadata ?? {}
  const Plaintext = Buffer.from('hello')
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const folder = temporaryFolder(t)
  const seal = join(folder, 'seal.key')
  await cp(join(server.directory, 'seal.key'), seal)
  const ofLost = { TRENT_DATA_DIR: server.directory }
  const taken = await trentEnded(t, ['backup', join(folder, 'backup')], ofLost, folder)
  assert.equal(taken.code, 0, taken.stderr)
  await kms.send(new DisableKeyCommand({ KeyId }))
  await advance(server.url, '10m')
  await advance(server.url, '10m')

  // As `aws s3 sync` does it.
  const archive = join(folder, 'archive')
  for (const key of await keysIn(s3)) {
    await mkdir(dirname(join(archive, key)), { recursive: true })
    await writeFile(join(archive, key), await bytesOf(s3, key))
  }
  const settings = {
    ...freePort(folder),
    TRENT_SEAL: `file:${seal}`,
    TRENT_ACCOUNT_ID: accountId,
    TRENT_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    TRENT_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const restored = await trentEnded(
    t,
    ['restore', join(folder, 'backup'), '--delivered', archive, '--json'],
    settings,
    folder,
  )
  assert.equal(restored.code, 0, restored.stderr)
  assert.partialDeepStrictEqual(JSON.parse(restored.stdout), { takenAway: 1 })
  const next = await serveProcess(t, folder, settings)
  const after = server.client({ endpoint: next.url })
  await assert.rejects(after.send(new DecryptCommand({ CiphertextBlob })), {
    name: 'DisabledException',
  })
})
