/**
 * An archive from which somebody has removed files: it is never whole, whether a server is running or
 * not. @module
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { nodeFiles } from '../../../src/disk/files.ts'
import { createDirectoryArchive } from '../../../src/audit/delivery/directory-archive.ts'
import { advance } from '../../compat/test-clock.ts'
import { sqliteOnly, startTestServer, type TestServer } from '../../harness.ts'
import { filesBelow, isDigest, isLog, jsonOf, traffic, verified } from './delivered.ts'

/** A server that has delivered for some hours, and what it has delivered. */
let server: TestServer
let whole = ''
before(async () => {
  whole = await mkdtemp(join(tmpdir(), 'trent-archive-'))
  server = await startTestServer({ TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: whole })
  for (const calls of [2, 2, 2]) {
    await traffic(server, calls)
    await advance(server.url, '1h')
  }
  await advance(server.url, '1h')
})
after(async () => {
  await server.stop()
  await rm(whole, { recursive: true, force: true })
})

interface Report {
  readonly whole: boolean
  readonly delivered: {
    readonly undelivered: number
    readonly breaks: readonly { readonly file: string; readonly why: string }[]
  }
}

async function copied(t: TestContext): Promise<string> {
  const archive = await mkdtemp(join(tmpdir(), 'trent-archive-'))
  t.after(() => rm(archive, { recursive: true, force: true }))
  await cp(whole, archive, { recursive: true })
  return archive
}

async function check(archive: string): Promise<readonly [number, Report]> {
  const { status, text } = await verified(server, archive)
  return [status, JSON.parse(text) as Report]
}

interface Taken {
  readonly eventID: string
  readonly awsRegion: string
  readonly recipientAccountId: string
}

/**
 * Deletes the last three digests and the log files that they name. Returns the content of those log
 * files.
 */
async function takeNewest(archive: string): Promise<readonly Taken[]> {
  const records: Taken[] = []
  for (let taken = 0; taken < 3; taken += 1) {
    const newest = (await filesBelow(archive)).filter(isDigest).at(-1) ?? ''
    const { logFiles } = await jsonOf<{ logFiles: { s3Object: string }[] }>(archive, newest)
    for (const { s3Object } of logFiles) {
      records.push(...(await jsonOf<{ Records: Taken[] }>(archive, s3Object)).Records)
      await rm(join(archive, s3Object))
    }
    await rm(join(archive, newest))
    await rm(join(archive, `${newest}.metadata.json`))
  }
  return records
}

const guttings: readonly (readonly [string, (archive: string) => Promise<void>, RegExp])[] = [
  [
    'an empty directory',
    async (archive) => {
      await rm(archive, { recursive: true })
      await mkdir(archive)
    },
    /there is no digest with a valid signature/,
  ],
  [
    'log files without any digest',
    async (archive) => {
      for (const name of (await filesBelow(archive)).filter((each) => each.includes('-Digest'))) {
        await rm(join(archive, name))
      }
    },
    /there is no digest with a valid signature/,
  ],
  [
    'an account’s tree replaced by a link to it',
    async (archive) => {
      const logs = join(archive, 'AWSLogs')
      await rename(logs, join(archive, 'elsewhere'))
      await symlink(join(archive, 'elsewhere'), logs)
    },
    /this is a link, or not a regular file/,
  ],
  [
    'a log file replaced by a link to it',
    async (archive) => {
      const [log = ''] = (await filesBelow(archive)).filter(isLog)
      await rename(join(archive, log), join(archive, 'elsewhere'))
      await symlink(join(archive, 'elsewhere'), join(archive, log))
    },
    /this is a link, or not a regular file/,
  ],
  [
    'the newest digests and the log files that they name deleted',
    async (archive) => void (await takeNewest(archive)),
    /no delivered file holds the \d+ records from here on|it was delivered, and is missing/,
  ],
  [
    'the same, with a forged log file that has their event ids',
    async (archive) => {
      const taken = await takeNewest(archive)
      const Records = taken.map(({ eventID, awsRegion, recipientAccountId }) => ({
        eventID,
        awsRegion,
        recipientAccountId,
        eventName: 'ListKeys',
      }))
      const [log = ''] = (await filesBelow(archive)).filter(isLog)
      const forged = join(archive, log.replace(/_\d{8}T\d{4}Z_/, '_29991231T2359Z_'))
      await writeFile(forged, gzipSync(JSON.stringify({ Records })))
    },
    /no delivered file holds the \d+ records from here on|it was delivered, and is missing/,
  ],
  [
    'a file among the log files that has no name of one',
    async (archive) => {
      const [log = ''] = (await filesBelow(archive)).filter(isLog)
      await cp(join(archive, log), join(archive, log.replace(/[^/]+$/, 'more.json.gz')))
    },
    /no log file has such a name/,
  ],
  [
    'a log file that unpacks to more than delivery makes',
    async (archive) => {
      const [log = ''] = (await filesBelow(archive)).filter(isLog)
      await writeFile(join(archive, log), gzipSync(Buffer.alloc(17 * 1024 * 1024)))
    },
    /the log file is missing or not readable/,
  ],
]

test('the archive is whole before anything is taken from it', async (t) => {
  const [status, report] = await check(await copied(t))
  assert.deepEqual([status, report.whole, report.delivered.breaks], [0, true, []])
})

for (const [name, gut, expected] of guttings) {
  test(`${name}: not whole`, async (t) => {
    const archive = await copied(t)
    await gut(archive)
    const [status, { delivered }] = await check(archive)
    assert.equal(status, 1)
    assert.ok(
      delivered.breaks.some(({ why }) => expected.test(why)),
      JSON.stringify(delivered.breaks),
    )
  })
}

test('delivery writes through no link, and says so', async (t) => {
  const archive = await mkdtemp(join(tmpdir(), 'trent-archive-'))
  const elsewhere = await mkdtemp(join(tmpdir(), 'trent-elsewhere-'))
  t.after(() => Promise.all([archive, elsewhere].map((each) => rm(each, { recursive: true }))))
  const to = createDirectoryArchive(nodeFiles, archive)
  const object = { bucket: 'b', key: 'AWSLogs/1/CloudTrail/a/f.json.gz', bytes: Buffer.from('x') }
  const { signal } = new AbortController()
  await to.put({ ...object, metadata: {} }, signal)
  await rm(join(archive, 'AWSLogs', '1'), { recursive: true })
  await symlink(elsewhere, join(archive, 'AWSLogs', '1'))
  await assert.rejects(to.put({ ...object, metadata: {} }, signal), /is a link, or not a directory/)
  assert.deepEqual(await filesBelow(elsewhere), [])
})

const skip = sqliteOnly('without a server, verify-log reads the embedded database only')
const whatRowsShow =
  'without a server, the rows of delivery show what must be there, and what waits'

// The last test: it ends the server, so that its rows can be read.
test(whatRowsShow, { skip }, async (t) => {
  await traffic(server, 1)
  await server.stop('keep')
  const archive = await copied(t)
  const [status, report] = await check(archive)
  assert.deepEqual([status, report.delivered.breaks], [0, []])
  assert.ok(report.delivered.undelivered > 0)
  for (const [name, gut, expected] of guttings) {
    const gutted = await copied(t)
    await gut(gutted)
    const [code, { delivered }] = await check(gutted)
    assert.equal(code, 1, name)
    assert.ok(
      delivered.breaks.some(({ why }) => expected.test(why)),
      name,
    )
  }
  // The last digest, which names no file: only the rows show that it existed.
  const last = (await filesBelow(archive)).filter(isDigest).at(-1) ?? ''
  await rm(join(archive, last))
  await rm(join(archive, `${last}.metadata.json`))
  const [code, { delivered }] = await check(archive)
  assert.equal(code, 1)
  assert.ok(delivered.breaks.some(({ file, why }) => last === file && /is missing/.test(why)))
})
