/** The gauges of a server's state, by their values. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { Registry } from 'prom-client'
import { nodeFiles, syncEachWrite, type FilePort } from '../../src/disk/files.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { createGauges, cached } from '../../src/metrics/gauges.ts'
import { fileSeal } from '../../src/seals/file.ts'
import type { Seal } from '../../src/seals/seal.ts'
import { createFailingFiles } from '../audit/delivery/failing-files.ts'
import { startDelivering, traffic } from '../audit/delivery/delivered.ts'
import { importing } from '../compat/importing.ts'
import { advance } from '../compat/test-clock.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { scrape, scrapeUntil } from './scraped.ts'

type Options = Parameters<typeof startTestServer>[1]

async function open(t: TestContext, options: Options = {}): Promise<TestServer> {
  const server = await startTestServer({ TRENT_TEST_API: 'on' }, options)
  t.after(() => server.stop())
  return server
}

test('keys are counted by state, and the first expiry of material is reported', async (t) => {
  const server = await open(t)
  const kms = server.client()
  const make = async (): Promise<string> =>
    (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
  for (let n = 0; n < 3; n += 1) await make()
  await kms.send(new DisableKeyCommand({ KeyId: await make() }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: await make() }))
  const { makeExternal, parameters, send } = importing(kms)
  await makeExternal()
  for (const days of [9, 2, 5]) {
    const KeyId = await makeExternal()
    await send(KeyId, randomBytes(32), await parameters(KeyId), {
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo: new Date(Date.now() + days * 86_400_000),
    })
  }
  const figures = await scrape(server)
  const states = [...figures].filter(([name]) => name.startsWith('trent_keys{'))
  assert.deepEqual(Object.fromEntries(states), {
    'trent_keys{state="Enabled"}': 6,
    'trent_keys{state="Disabled"}': 1,
    'trent_keys{state="PendingDeletion"}': 1,
    'trent_keys{state="PendingImport"}': 1,
  })
  const expiry = figures.get('trent_soonest_material_expiry_seconds') ?? 0
  assert.ok(expiry > 2 * 86_400 - 60 && expiry <= 2 * 86_400, String(expiry))
  assert.ok((figures.get('trent_store_read_seconds') ?? 0) > 0)
  // The count of keys is cached; the time until expiry is not.
  await advance(server.url, '1d')
  const later = (await scrape(server)).get('trent_soonest_material_expiry_seconds') ?? 0
  assert.ok(later > 86_400 - 60 && later <= 86_400, String(later))
})

test('without expiring material and without delivery, their metrics are omitted', async (t) => {
  const figures = await scrape(await open(t))
  const names = [...figures.keys()]
  for (const absent of ['trent_soonest_material_expiry_seconds', 'trent_delivery_lag_seconds']) {
    assert.ok(!figures.has(absent), absent)
  }
  assert.ok(!names.some((name) => name.startsWith('trent_delivery_')))
})

test('a second use of a key is answered from memory, and counted so', async (t) => {
  const server = await open(t)
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const use = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') })
  await kms.send(use)
  const of = async (what: string): Promise<number> =>
    (await scrape(server)).get(`trent_cache_${what}{cache="keys"}`) ?? NaN
  const [hits, misses] = [await of('hits'), await of('misses')]
  assert.ok(misses >= 1)
  await kms.send(use)
  await kms.send(use)
  assert.deepEqual([(await of('hits')) > hits, await of('misses')], [true, misses])
})

test('a server whose root key is not open is sealed and not ready, until it is', async (t) => {
  const first = await startTestServer()
  await first.stop('keep')
  const opening = Promise.withResolvers<Seal>()
  const server = await open(t, { directory: first.directory, seal: opening.promise })
  const before = await scrape(server)
  assert.deepEqual([before.get('trent_sealed'), before.get('trent_ready')], [1, 0])
  assert.ok(!before.has('trent_store_changes'))
  opening.resolve(fileSeal(join(first.directory, 'seal.key'), systemRandom))
  await server.server.ready
  const after = await scrape(server)
  assert.deepEqual([after.get('trent_sealed'), after.get('trent_ready')], [0, 1])
  assert.ok((after.get('trent_store_changes') ?? 0) > 0)
})

/** Files with syncs that wait while `held` is set. */
function slowFiles(): { held: Promise<void> | undefined; readonly files: FilePort } {
  const disk = {
    held: undefined as Promise<void> | undefined,
    files: {
      ...nodeFiles,
      async createDurable(path: string) {
        const file = await nodeFiles.create(path)
        const datasync = async (): Promise<void> => {
          await disk.held
          await file.datasync()
        }
        return syncEachWrite({ ...file, datasync })
      },
    },
  }
  return disk
}

test('records, bytes and changes of the store that wait for the disk are counted', async (t) => {
  const disk = slowFiles()
  const server = await open(t, { journalFiles: disk.files })
  const kms = server.client()
  await kms.send(new CreateKeyCommand({}))
  const waits = ['trent_journal_waiting_records', 'trent_journal_waiting_bytes'] as const
  const calm = await scrape(server)
  assert.deepEqual(
    [...waits, 'trent_outbox_records'].map((name) => calm.get(name)),
    [0, 0, 0],
  )
  const { promise, resolve } = Promise.withResolvers<void>()
  disk.held = promise
  const answered = kms.send(new CreateKeyCommand({}))
  const busy = await scrapeUntil(server, (each) => each.get('trent_outbox_records') === 1)
  assert.equal(busy.get(waits[0]), 1)
  assert.ok((busy.get(waits[1]) ?? 0) > 500)
  disk.held = undefined
  resolve()
  await answered
  const over = await scrape(server)
  assert.deepEqual([over.get(waits[0]), over.get(waits[1])], [0, 0])
})

test('records behind the last checkpoint are reported with their waiting time', async (t) => {
  let now = Date.now()
  const time = { system: () => now, monotonic: () => performance.now() }
  const server = await open(t, { time })
  const before = (await scrape(server)).get('trent_journal_unanchored_records') ?? NaN
  const kms = server.client()
  now += 2000
  for (let n = 0; n < 3; n += 1) await kms.send(new CreateKeyCommand({}))
  now += 3000
  const ahead = await scrape(server)
  assert.equal(ahead.get('trent_journal_unanchored_records'), before + 3)
  // Some record was written at the start, or the first of these three two seconds later.
  const waited = ahead.get('trent_journal_unanchored_seconds')
  assert.equal(waited, before === 0 ? 3 : 5)
  assert.equal(ahead.get('trent_journal_checkpoint_age_seconds'), 5)
})

test('the event index lags while it lacks durable records, and then catches up', async (t) => {
  const server = await open(t)
  await scrapeUntil(server, (each) => each.get('trent_event_index_lag_seconds') === 0)
  await server.client().send(new CreateKeyCommand({}))
  const behind = (await scrape(server)).get('trent_event_index_lag_seconds') ?? 0
  assert.ok(behind > 0, String(behind))
  await scrapeUntil(server, (each) => each.get('trent_event_index_lag_seconds') === 0)
})

test('a full disk and a changed clock are reported', async (t) => {
  let leap = 0
  const files: FilePort = { ...nodeFiles, freeBytes: () => Promise.resolve(4096) }
  const time = { system: () => Date.now() + leap, monotonic: () => performance.now() }
  const server = await open(t, { journalFiles: files, time })
  const figures = await scrape(server)
  assert.deepEqual(
    ['ready', 'journal_healthy', 'journal_has_reserve', 'journal_free_bytes', 'clock_held'].map(
      (name) => figures.get(`trent_${name}`),
    ),
    [0, 1, 0, 4096, 0],
  )
  leap = 86_400_000
  assert.equal((await scrape(server)).get('trent_clock_held'), 1)
})

test('delivery is late while its target is away: age, files and failures in a row', async (t) => {
  const disk = createFailingFiles()
  const { server, archive } = await startDelivering(t, {}, { journalFiles: disk.files })
  const step = (name: string): string => `trent_delivery_failures{step="${name}"}`
  disk.failing = { below: archive, code: 'EIO', at: 'create' }
  await traffic(server, 2)
  for (let minutes = 0; minutes < 60; minutes += 10) await advance(server.url, '10m')
  const late = await scrapeUntil(server, (each) => (each.get(step('place')) ?? 0) >= 2)
  assert.ok((late.get('trent_delivery_waiting_files') ?? 0) >= 1)
  const lag = late.get('trent_delivery_lag_seconds') ?? 0
  assert.ok(lag >= 3600 && lag < 3700, String(lag))
  assert.deepEqual(
    ['files', 'digests', 'webhook'].map((name) => late.get(step(name))),
    [0, 0, 0],
  )
  disk.failing = undefined
  const over = await scrapeUntil(
    server,
    (each) => each.get('trent_delivery_waiting_files') === 0 && each.get(step('place')) === 0,
  )
  assert.ok((over.get('trent_delivery_lag_seconds') ?? Infinity) <= 600)
})

test('delivery whose own disk fails is late too', async (t) => {
  const disk = createFailingFiles()
  const { server } = await startDelivering(t, {}, { journalFiles: disk.files })
  await traffic(server, 1)
  disk.failing = { below: join(server.directory, 'delivery'), code: 'EIO', at: 'sync' }
  for (let minutes = 0; minutes < 60; minutes += 10) await advance(server.url, '10m')
  const late = await scrape(server)
  assert.ok((late.get('trent_delivery_failures{step="files"}') ?? 0) >= 2)
  assert.ok((late.get('trent_delivery_lag_seconds') ?? 0) >= 3000)
})

test('an error of the journal is counted', async (t) => {
  let fails = false
  let created = 0
  const files: FilePort = {
    ...nodeFiles,
    async createDurable(path) {
      const file = await nodeFiles.create(path)
      // Later segments are being prepared meanwhile, and may fail without ending the journal.
      const isLive = created === 0
      created += 1
      const datasync = async (): Promise<void> => {
        await file.datasync()
        if (fails && isLive) {
          fails = false
          throw new Error('EIO: of the test')
        }
      }
      return syncEachWrite({ ...file, datasync })
    },
  }
  const server = await open(t, { journalFiles: files })
  const kms = server.client()
  assert.equal((await scrape(server)).get('trent_journal_errors_total'), 0)
  fails = true
  await assert.rejects(kms.send(new CreateKeyCommand({})), { name: 'KMSInternalException' })
  assert.equal((await scrape(server)).get('trent_journal_errors_total'), 1)
})

test('a use of a key that is disabled or pending deletion is counted by the state', async (t) => {
  const server = await open(t)
  const kms = server.client()
  const make = async (): Promise<string> =>
    (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
  const [disabled, dying] = [await make(), await make()]
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying }))
  for (const [KeyId, times] of [
    [disabled, 1],
    [dying, 2],
  ] as const) {
    const use = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })
    for (let n = 0; n < times; n += 1) await assert.rejects(kms.send(use))
  }
  // It changes the key but does not use it.
  await assert.rejects(kms.send(new DisableKeyCommand({ KeyId: dying })))
  const figures = await scrape(server)
  const of = (state: string): number =>
    figures.get(`trent_refused_uses_total{state="${state}"}`) ?? NaN
  assert.deepEqual([of('Disabled'), of('PendingDeletion'), of('PendingImport')], [1, 2, 0])
})

test('a forged row is counted', async (t) => {
  const first = await startTestServer()
  const { KeyMetadata } = await first.client().send(new CreateKeyCommand({}))
  await first.stop('keep')
  const { directory } = first
  const database = new DatabaseSync(join(directory, 'trent.db'))
  database.exec("UPDATE keys SET state = 'Disabled'")
  database.close()
  const server = await open(t, { directory })
  const name = 'trent_forged_total{what="row"}'
  assert.equal((await scrape(server)).get(name), 0)
  await assert.rejects(
    server.client().send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId })),
    { name: 'NotFoundException' },
  )
  assert.ok(((await scrape(server)).get(name) ?? 0) >= 1)
})

test('a metric that cannot be read is omitted, and the others are reported', async () => {
  const registry = new Registry()
  const gauges = createGauges(registry)
  gauges.observe({
    trent_store_changes: () => 7,
    trent_keys: () => Promise.reject(new Error('the database is away')),
    trent_store_read_seconds: () => Promise.reject(new Error('the database is away')),
  })
  await gauges.refresh()
  const text = await registry.metrics()
  assert.match(text, /^trent_store_changes 7$/m)
  assert.doesNotMatch(text, /^trent_keys/m)
  assert.doesNotMatch(text, /^trent_store_read_seconds/m)
})

test('an answer is cached for its time, and a failure is not', async () => {
  let asked = 0
  let fails = true
  const ask = cached(() => {
    asked += 1
    return fails ? Promise.reject(new Error('away')) : Promise.resolve(asked)
  }, 60_000)
  await assert.rejects(ask(), { message: 'away' })
  fails = false
  assert.deepEqual(await Promise.all([ask(), ask()]), [2, 2])
  assert.equal(await ask(), 2)
})
