/** Delivery to a directory, from calls to `trent verify-log`. @module */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { advance } from '../../compat/test-clock.ts'
import { accountId, region } from '../../harness.ts'
import {
  assertNoErrors,
  deliveredRecords,
  filesBelow,
  isDigest,
  isLog,
  jsonOf,
  startDelivering,
  traffic,
  verified,
  type Delivering,
} from './delivered.ts'

interface Digest {
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly digestS3Bucket: string
  readonly digestS3Object: string
  readonly digestPublicKeyFingerprint: string
  readonly previousDigestS3Object: string | null
  readonly previousDigestSignature: string | null
  readonly newestEventTime: string | null
  readonly logFiles: readonly { readonly s3Object: string; readonly hashValue: string }[]
}

async function check({ server, archive }: Delivering) {
  const { status, text } = await verified(server, archive)
  return {
    status,
    ...(JSON.parse(text) as {
      whole: boolean
      delivered: {
        digests: number
        logFiles: number
        compared: number
        unlisted: number
        breaks: { file: string; why: string }[]
      }
    }), // our own report
  }
}

/** Two hours with records, one without, and the digests of all three. */
async function threeHours(t: TestContext, settings = {}): Promise<Delivering> {
  const delivering = await startDelivering(t, settings)
  for (const calls of [3, 2, 0]) {
    if (calls > 0) await traffic(delivering.server, calls)
    await advance(delivering.server.url, '1h')
  }
  await advance(delivering.server.url, '1h')
  assertNoErrors(delivering.server)
  return delivering
}

test('every record is delivered once, in CloudTrail’s layout', async (t) => {
  const { server, archive } = await startDelivering(t)
  const ids = await traffic(server, 5)
  await advance(server.url, '5m')
  const records = await deliveredRecords(archive)
  const found = records.map(({ requestID }) => requestID)
  assert.deepEqual(
    found.filter((id) => ids.includes(id)),
    ids,
  )
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
  const pattern = new RegExp(
    `^AWSLogs/${accountId}/CloudTrail/${region}/\\d{4}/\\d\\d/\\d\\d/` +
      `${accountId}_CloudTrail_${region}_\\d{8}T\\d{4}Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
  )
  for (const name of await filesBelow(archive)) assert.match(name, pattern)
  assertNoErrors(server)
})

test('digests come each hour, with and without files, signed and chained', async (t) => {
  const { server, archive } = await threeHours(t)
  const names = (await filesBelow(archive)).filter(isDigest)
  assert.ok(names.length >= 3)
  let previous: string | null = null
  let signatureBefore: string | null = null
  const listed: string[] = []
  const { digestKeys } = JSON.parse(
    (
      JSON.parse(await readFile(join(server.directory, 'journal', 'writers.json'), 'utf8')) as {
        text: string
      }
    ).text,
  ) as { digestKeys: { fingerprint: string; publicKey: string }[] }
  for (const name of names) {
    const digest: Digest = await jsonOf(archive, name)
    assert.equal(digest.digestS3Object, name)
    assert.equal(digest.previousDigestS3Object, previous)
    assert.equal(digest.previousDigestSignature, signatureBefore)
    assert.equal(digest.newestEventTime === null, digest.logFiles.length === 0)
    const text = gunzipSync(await readFile(join(archive, name)))
    const sha256 = createHash('sha256').update(text).digest('hex')
    const metadata = JSON.parse(await readFile(join(archive, `${name}.metadata.json`), 'utf8')) as {
      signature: string
      'signature-algorithm': string
    }
    assert.equal(metadata['signature-algorithm'], 'SHA256withRSA')
    const signed: readonly string[] = [
      digest.digestEndTime,
      `trent-audit/${name}`,
      sha256,
      signatureBefore ?? 'null',
    ]
    const key = digestKeys.find((each) => each.fingerprint === digest.digestPublicKeyFingerprint)
    const der = Buffer.from(key?.publicKey ?? '', 'base64')
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'pkcs1' })
    const signature = Buffer.from(metadata.signature, 'hex')
    assert.ok(verify('sha256', Buffer.from(signed.join('\n')), publicKey, signature))
    for (const { s3Object, hashValue } of digest.logFiles) {
      const log = gunzipSync(await readFile(join(archive, s3Object)))
      assert.equal(createHash('sha256').update(log).digest('hex'), hashValue)
      listed.push(s3Object)
    }
    previous = name
    signatureBefore = metadata.signature
  }
  assert.equal(new Set(listed).size, listed.length)
  assert.ok(listed.length >= 2)
})

test('verify-log compares delivered files with the journal', async (t) => {
  const delivering = await threeHours(t)
  const { status, whole, delivered } = await check(delivering)
  assert.deepEqual([status, whole, delivered.breaks], [0, true, []])
  assert.ok(delivered.digests >= 3)
  assert.ok(delivered.logFiles >= 2)
  assert.equal(delivered.compared, delivered.logFiles)
})

const tampering: readonly [
  what: string,
  why: RegExp,
  tamper: (archive: string, logs: readonly string[], digests: readonly string[]) => Promise<void>,
][] = [
  [
    'a record is changed',
    /^the log file was changed$/,
    async (archive, [log = '']) => {
      const path = join(archive, log)
      const text = gunzipSync(await readFile(path))
        .toString()
        .replace('Encrypt', 'Decrypt')
      await writeFile(path, gzipSync(text))
    },
  ],
  [
    'records are reordered',
    /^the log file was changed$/,
    async (archive, [log = '']) => {
      const path = join(archive, log)
      const { Records } = JSON.parse(gunzipSync(await readFile(path)).toString()) as {
        Records: unknown[]
      }
      await writeFile(path, gzipSync(JSON.stringify({ Records: Records.toReversed() })))
    },
  ],
  [
    'a file is removed',
    /^the log file is missing or not readable$/,
    (archive, [log = '']) => rm(join(archive, log)),
  ],
  [
    'two files are swapped',
    /^the log file was changed$/,
    async (archive, [one = '', other = '']) => {
      await rename(join(archive, one), join(archive, 'aside'))
      await rename(join(archive, other), join(archive, one))
      await rename(join(archive, 'aside'), join(archive, other))
    },
  ],
  [
    'a file is put beside',
    /^no digest names the file$/,
    async (archive, [log = '']) => {
      const bytes = await readFile(join(archive, log))
      await writeFile(join(archive, log.replace(/_\w{16}\.json/, `_${'A'.repeat(16)}.json`)), bytes)
    },
  ],
  [
    'a digest is removed',
    /^the digest before it is missing: /,
    (archive, _logs, [digest = '']) => rm(join(archive, digest)),
  ],
  [
    'a digest is changed',
    /^the digest's signature does not hold$/,
    async (archive, _logs, [digest = '']) => {
      const path = join(archive, digest)
      const text = gunzipSync(await readFile(path)).toString()
      await writeFile(path, gzipSync(text.replace('"logFiles":[{', '"logFiles":[{"a":1,')))
    },
  ],
]

test('verify-log finds whatever is done to delivered files', async (t) => {
  const delivering = await threeHours(t)
  const { archive } = delivering
  const names = await filesBelow(archive)
  const kept = new Map<string, Buffer>()
  for (const name of names) kept.set(name, await readFile(join(archive, name)))
  for (const [what, why, tamper] of tampering) {
    await tamper(archive, names.filter(isLog), names.filter(isDigest))
    const { status, delivered } = await check(delivering)
    assert.equal(status, 1, what)
    assert.ok(
      delivered.breaks.some((each) => why.test(each.why)),
      `${what}: ${JSON.stringify(delivered.breaks)}`,
    )
    for (const name of await filesBelow(archive)) {
      if (!kept.has(name)) await rm(join(archive, name))
    }
    for (const [name, bytes] of kept) await writeFile(join(archive, name), bytes)
  }
  assert.equal((await check(delivering)).status, 0)
})

test('a prefix stands before AWSLogs, and the digests verify below it', async (t) => {
  const delivering = await threeHours(t, { TRENT_AUDIT_PREFIX: 'org/audit' })
  for (const name of await filesBelow(delivering.archive)) {
    assert.ok(name.startsWith('org/audit/AWSLogs/'), name)
  }
  assert.equal((await check(delivering)).status, 0)
})
