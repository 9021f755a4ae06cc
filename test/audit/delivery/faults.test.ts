/**
 * Delivery with failing disks, unreachable targets, leaps of the clock and dying processes: every
 * record arrives, in one file, and both verifiers find everything whole.
 * @module
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { advance } from '../../compat/test-clock.ts'
import { startTestServer, type TestServer } from '../../harness.ts'
import {
  assertNoErrors,
  assertVerified,
  deliveredRecords,
  filesBelow,
  isDigest,
  startDelivering,
  traffic,
} from './delivered.ts'
import { createFailingFiles } from './failing-files.ts'

/** Each call has one record in the archive, and no event occurs twice. */
async function assertDeliveredOnce(archive: string, ids: readonly string[]): Promise<void> {
  const records = await deliveredRecords(archive)
  const found = records.map(({ requestID }) => requestID).filter((id) => ids.includes(id))
  assert.deepEqual(found.toSorted(), ids.toSorted())
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await what()) return
    await sleep(100)
  }
  assert.fail('it never came')
}

const spoolOf = (server: TestServer): Promise<readonly string[]> =>
  readdir(join(server.directory, 'delivery'))

for (const [what, code] of [
  ['away', 'EIO'],
  ['full', 'ENOSPC'],
] as const) {
  test(`a target that is ${what} for an hour gets everything later, with the same bytes`, async (t) => {
    const disk = createFailingFiles()
    const { server, archive } = await startDelivering(t, {}, { journalFiles: disk.files })
    disk.failing = { below: archive, code, at: 'create' }
    const ids: string[] = []
    for (let minutes = 0; minutes < 60; minutes += 10) {
      ids.push(...(await traffic(server, 2)))
      await advance(server.url, '10m')
    }
    assert.ok(disk.failures > 0)
    assert.deepEqual(await filesBelow(archive), [])
    const spooled = new Map<string, Buffer>()
    for (const name of await spoolOf(server)) {
      spooled.set(name, await readFile(join(server.directory, 'delivery', name)))
    }
    disk.failing = undefined
    const whole = async () => (await filesBelow(archive)).filter((name) => name.endsWith('.gz'))
    await until(async () => (await whole()).length >= spooled.size)
    const arrived: Buffer[] = []
    for (const name of await whole()) arrived.push(await readFile(join(archive, name)))
    for (const [name, bytes] of spooled) {
      assert.ok(
        arrived.some((each) => each.equals(bytes)),
        name,
      )
    }
    await assertDeliveredOnce(archive, ids)
    await advance(server.url, '1h')
    await until(async () => (await filesBelow(archive)).some(isDigest))
    await assertVerified(server, archive)
  })
}

test('a spool with failing syncs delivers nothing, and everything once they succeed', async (t) => {
  const disk = createFailingFiles()
  const { server, archive } = await startDelivering(t, {}, { journalFiles: disk.files })
  disk.failing = { below: join(server.directory, 'delivery'), code: 'EIO', at: 'sync' }
  const ids = await traffic(server, 3)
  await advance(server.url, '10m')
  assert.ok(disk.failures > 0)
  assert.deepEqual(await filesBelow(archive), [])
  disk.failing = undefined
  await advance(server.url, '10m')
  await until(async () => (await deliveredRecords(archive)).length > 0)
  await assertDeliveredOnce(archive, ids)
  await advance(server.url, '2h')
  await assertVerified(server, archive)
})

test('a stop and a start in between deliver each record once', async (t) => {
  const first = createFailingFiles()
  const { server, archive } = await startDelivering(t, {}, { journalFiles: first.files })
  first.failing = { below: archive, code: 'EIO', at: 'create' }
  const ids = [...(await traffic(server, 3))]
  await advance(server.url, '10m')
  ids.push(...(await traffic(server, 3)))
  await server.stop('keep')
  const again = await startTestServer(
    { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive },
    { directory: server.directory },
  )
  t.after(() => again.stop('keep'))
  await advance(again.url, '2h')
  await advance(again.url, '1h')
  assertNoErrors(again)
  await assertDeliveredOnce(archive, ids)
  // Only the file that no digest names yet may stay.
  assert.ok((await spoolOf(again)).length <= 1)
  await assertVerified(again, archive)
})

test('leaps of the clock in both directions leave one chain of digests', async (t) => {
  const { server, archive } = await startDelivering(t)
  const ids: string[] = []
  for (const by of ['1h', '40d', '1h', '2h']) {
    ids.push(...(await traffic(server, 1)))
    await advance(server.url, by)
  }
  const back = new Date(Date.now() - 86_400_000).toISOString()
  await fetch(`${server.url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ set: back }),
  })
  ids.push(...(await traffic(server, 1)))
  await advance(server.url, '1h')
  await advance(server.url, '60d')
  await advance(server.url, '1h')
  assertNoErrors(server)
  await assertDeliveredOnce(archive, ids)
  const digests = (await filesBelow(archive)).filter(isDigest)
  assert.ok(digests.length >= 4 && digests.length < 20, `${digests.length} digests`)
  await assertVerified(server, archive)
})
