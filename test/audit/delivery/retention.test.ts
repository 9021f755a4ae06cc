/** How long the journal keeps its segments. @module */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLog } from '../../../src/cli/verify-log.ts'
import { advance } from '../../compat/test-clock.ts'
import { startTestServer, type TestServer } from '../../harness.ts'
import { createFailingFiles } from './failing-files.ts'
import { deliveredRecords, startDelivering, traffic } from './delivered.ts'

/** The names of streams begin with the node's, if there are nodes. */
const segments = async (server: TestServer): Promise<readonly string[]> => {
  const journal = join(server.directory, 'journal')
  const stream = (await readdir(journal)).find((name) => name.endsWith('worker-0'))
  assert.ok(stream)
  return (await readdir(join(journal, stream))).filter((name) => name.endsWith('.seg')).sort()
}

/** The event index must have read a segment first, which takes some seconds. */
async function untilOneIsLeft(server: TestServer): Promise<number> {
  return until(async () => (await segments(server)).length === 1, server)
}

/**
 * Time passes until `holds`. The number of tries is a bound for a defect: no machine is that slow.
 * @returns how often the clock was moved: each time leaves a record
 */
async function until(holds: () => Promise<boolean>, server: TestServer): Promise<number> {
  let tries = 0
  for (; !(await holds()); tries += 1) {
    assert.ok(tries < 600, 'it never happened')
    await sleep(200)
    await advance(server.url, '1m')
  }
  return tries
}

async function proved(server: TestServer) {
  let text = ''
  const status = await verifyLog({
    directory: join(server.directory, 'journal'),
    json: true,
    output: { write: (part) => (text += part) },
  })
  return { status, ...(JSON.parse(text) as { records: number; proved: number; breaks: unknown }) }
}

/** Three segments, each by one process. */
async function threeStarts(
  t: TestContext,
  settings: Parameters<typeof startTestServer>[0],
): Promise<TestServer> {
  const all = { TRENT_TEST_API: 'on', ...settings }
  let server = await startTestServer(all)
  for (let start = 0; start < 2; start += 1) {
    await traffic(server, 2)
    await server.stop('keep')
    server = await startTestServer(all, { directory: server.directory })
  }
  await traffic(server, 2)
  t.after(() => server.stop())
  return server
}

test('segments are deleted after the retention, and the journal is whole from its signed beginning', async (t) => {
  const server = await threeStarts(t, {})
  const before = await segments(server)
  assert.equal(before.length, 3)
  await advance(server.url, '89d')
  assert.deepEqual(await segments(server), before)
  const whole = await proved(server)
  await advance(server.url, '2d')
  const moved = await untilOneIsLeft(server)
  assert.deepEqual(await segments(server), before.slice(-1))
  const { status, records, proved: all, breaks } = await proved(server)
  assert.deepEqual([status, breaks], [0, []])
  assert.ok(records - moved - 1 < whole.records)
  // Deleted records still count: checkpoints count from the genesis.
  assert.ok(all >= whole.proved)
  await server.stop('keep')
  const again = await startTestServer({}, { directory: server.directory })
  await traffic(again, 1)
  assert.equal((await proved(again)).status, 0)
  await again.stop('keep')
})

test('the operator can set a shorter retention', async (t) => {
  const server = await threeStarts(t, { TRENT_AUDIT_RETENTION_DAYS: '1' })
  await advance(server.url, '2d')
  await untilOneIsLeft(server)
  assert.equal((await proved(server)).status, 0)
})

test('a segment whose records are not delivered stays, however old it is', async (t) => {
  const disk = createFailingFiles()
  const options = { journalFiles: disk.files }
  const settings = { TRENT_AUDIT_RETENTION_DAYS: '1' }
  const { server, archive } = await startDelivering(t, settings, options)
  disk.failing = { below: archive, code: 'EIO', at: 'create' }
  await traffic(server, 2)
  await advance(server.url, '5m')
  await server.stop('keep')
  const again = await startTestServer(
    { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive, ...settings },
    { directory: server.directory, ...options },
  )
  t.after(() => again.stop('keep'))
  await traffic(again, 1)
  await advance(again.url, '9d')
  assert.equal((await segments(again)).length, 2)
  disk.failing = undefined
  await until(async () => (await deliveredRecords(archive)).length > 0, again)
  await advance(again.url, '9d')
  await untilOneIsLeft(again)
})
