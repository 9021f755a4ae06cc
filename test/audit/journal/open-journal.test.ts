import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { JournalFailed } from '../../../src/audit/journal/journal.ts'
import { openJournal } from '../../../src/audit/journal/open-journal.ts'
import { recordBytesMax } from '../../../src/audit/journal/frame.ts'
import { verifyJournal } from '../../../src/audit/verify/verify.ts'
import {
  append,
  eventId,
  heldIds,
  open,
  recordOf,
  segmentPath,
  settled,
  verify,
} from '../journal-fixture.ts'
import { createMemoryFiles } from '../memory-files.ts'

test('records are on disk in order, and the journal is whole after a clean close', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const { stream, segment, offset } = journal.position
  assert.deepEqual([stream, segment], ['worker-0', 1])
  assert(offset > 0)
  await Promise.all([append(journal, 1), append(journal, 2), append(journal, 3)])
  await journal.close()
  assert.deepEqual(await heldIds(files), [eventId(1), eventId(2), eventId(3)])
  const report = await verify(files)
  assert.equal(report.whole, true)
  assert.equal(report.records, 3)
  assert.equal(report.streams[0]?.closed, true)
  assert.deepEqual(files.paths(), [segmentPath(1)])
})

test('an append resolves only after a sync that covers it, and records that wait share one', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  let syncs = 0
  files.plan = (operation, path) => {
    if (operation === 'datasync' && path.endsWith('.seg')) syncs += 1
    return 'done'
  }
  await Promise.all(Array.from({ length: 20 }, (_, n) => append(journal, n)))
  assert.equal(syncs, 1)
  files.cutPower(() => false)
  await open(files)
  assert.equal((await heldIds(files)).length, 20)
})

test('a start always opens a new segment, which names the one before', async () => {
  const files = createMemoryFiles()
  for (const n of [1, 2, 3]) {
    const { journal } = await open(files)
    assert.equal(journal.position.segment, n)
    await append(journal, n)
    if (n === 2) files.kill()
    else await journal.close()
  }
  assert.deepEqual(await heldIds(files), [1, 2, 3].map(eventId))
  assert.equal((await verify(files)).whole, true)
})

test('a segment that is full is closed and the next one opens', async () => {
  const files = createMemoryFiles()
  const { journal, errors } = await open(files)
  await Promise.all(Array.from({ length: 200 }, (_, n) => append(journal, n)))
  assert.ok(journal.position.segment > 3)
  assert.ok(journal.healthy)
  await journal.close()
  assert.equal((await heldIds(files)).length, 200)
  assert.equal((await verify(files)).whole, true)
  assert.deepEqual(errors, [])
})

for (const [name, leap] of [
  ['forward', 1000],
  ['back', -1000],
] as const) {
  test(
    `a segment that is too old is closed without traffic, the clock gone ${name}`,
    { timeout: 60_000 },
    async () => {
      const files = createMemoryFiles()
      let now = 1_800_000_000_000
      const clock = { system: () => now }
      const { journal } = await open(files, { segmentAgeMs: 1000, reserveCheckMs: 1, clock })
      await append(journal, 1)
      assert.equal(journal.position.segment, 1)
      now += leap
      // The timer works by the wall clock, so turns of the event loop are not enough.
      while (journal.position.segment === 1) await delay(1)
      assert.equal(journal.position.segment, 2)
      await append(journal, 2)
      await journal.close()
      assert.deepEqual(await heldIds(files), [eventId(1), eventId(2)])
      assert.equal((await verify(files)).whole, true)
    },
  )
}

test('an old segment without records stays open', { timeout: 60_000 }, async () => {
  const files = createMemoryFiles()
  let now = 1_800_000_000_000
  const clock = { system: () => now }
  const { journal } = await open(files, { segmentAgeMs: 1000, reserveCheckMs: 1, clock })
  const looks = { count: 0 }
  files.plan = (operation) => {
    if (operation === 'freeBytes') looks.count += 1
    return 'done'
  }
  now += 5000
  while (looks.count < 3) await delay(1)
  await journal.close()
  assert.equal(journal.position.segment, 1)
})

test('a roll by age that fails loses no acknowledged record', { timeout: 60_000 }, async () => {
  const files = createMemoryFiles()
  let now = 1_800_000_000_000
  const clock = { system: () => now }
  const { journal, errors, fatal } = await open(files, {
    segmentAgeMs: 1000,
    reserveCheckMs: 1,
    clock,
  })
  await append(journal, 1)
  files.plan = (operation, path) => {
    if (operation !== 'datasync' || path !== segmentPath(1)) return 'done'
    return { error: 'EIO' }
  }
  now += 1000
  while (journal.position.segment === 1 || !journal.healthy) await delay(1)
  await append(journal, 2)
  await journal.close()
  assert.equal(errors.length, 1)
  assert.deepEqual(fatal, [])
  assert.deepEqual(await heldIds(files), [eventId(1), eventId(2)])
  assert.equal((await verify(files)).whole, true)
})

test('a segment that is too old is closed by the next record', async () => {
  const files = createMemoryFiles()
  let now = 0
  const { journal } = await open(files, { segmentAgeMs: 1000, clock: { system: () => now } })
  await append(journal, 1)
  now = 999
  await append(journal, 2)
  assert.equal(journal.position.segment, 1)
  now = 1000
  await append(journal, 3)
  assert.equal(journal.position.segment, 2)
  await journal.close()
  assert.equal((await verify(files)).whole, true)
})

test('closing finishes what waits, and refuses what comes after', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const waiting = [append(journal, 1), append(journal, 2)]
  const closing = journal.close()
  await assert.rejects(append(journal, 3), JournalFailed)
  assert.equal(journal.healthy, false)
  await closing
  assert.deepEqual(await settled(waiting), [true, true])
  await journal.close()
  assert.equal((await heldIds(files)).length, 2)
})

test('a record that cannot be framed is refused, the longest one is taken', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files, { segmentBytes: 1024 * 1024 })
  const longest = recordOf(eventId(1), 'x'.repeat(recordBytesMax - recordOf(eventId(1)).length))
  await journal.append(eventId(1), longest)
  const refused: [string, string][] = [
    [eventId(2), `${longest} `],
    [eventId(2), `{"a":\n"b"}`],
    [eventId(2), `{"a":"\u0000"}`],
    [eventId(2), ''],
    ['not-a-uuid', recordOf('not-a-uuid')],
    [eventId(0xa).toUpperCase(), recordOf(eventId(0xa))],
  ]
  for (const [id, record] of refused) {
    await assert.rejects(journal.append(id, record), JournalFailed)
  }
  assert.ok(journal.healthy)
  await journal.close()
  assert.deepEqual(await heldIds(files), [eventId(1)])
})

test('a record fills a small segment or is refused, and never rolls for ever', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const most = 8192 - 1024
  const fits = recordOf(eventId(1), 'x'.repeat(most - recordOf(eventId(1)).length))
  await journal.append(eventId(1), fits)
  await journal.append(eventId(2), fits.replace(eventId(1), eventId(2)))
  await assert.rejects(journal.append(eventId(3), `${fits} `), JournalFailed)
  await journal.close()
  assert.deepEqual(await heldIds(files), [eventId(1), eventId(2)])
})

test('what may wait for the disk is bounded', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files, { segmentBytes: 24 * 1024 * 1024 })
  const long = 'x'.repeat(recordBytesMax - 200)
  const appends = Array.from({ length: 300 }, (_, n) => append(journal, n, long))
  const answers = await settled(appends)
  const taken = answers.filter(Boolean).length
  assert.ok(taken > 200 && taken < 260, `${taken} were taken`)
  await append(journal, 1000)
  await journal.close()
  assert.equal((await heldIds(files)).length, taken + 1)
})

test('on a real file system: blocks are preallocated, trimmed at the end, and private', async () => {
  const data = await mkdtemp(join(tmpdir(), 'trent-journal-'))
  try {
    const directory = join(data, 'journal')
    const fail = (error: Error) => assert.fail(error)
    const clock = { system: () => Date.now() }
    const options = { directory, stream: 'worker-0', clock, segmentBytes: 65536 }
    const journal = await openJournal({ ...options, onError: fail, onFatal: fail })
    await Promise.all(Array.from({ length: 500 }, (_, n) => append(journal, n)))
    const number = String(journal.position.segment).padStart(12, '0')
    const path = join(directory, 'worker-0', `${number}.seg`)
    const before = await stat(path)
    assert.equal(before.size, 65536)
    assert.ok(before.blocks * 512 >= 65536)
    assert.equal(before.mode & 0o777, 0o600)
    await journal.close()
    assert.ok((await stat(path)).size < 65536)
    const report = await verifyJournal(directory)
    assert.deepEqual([report.whole, report.records], [true, 500])
    const names = await readdir(join(directory, 'worker-0'))
    assert.ok(names.every((name) => name.endsWith('.seg')))
  } finally {
    await rm(data, { recursive: true })
  }
})

test('a stream name that could leave the directory is refused', async () => {
  for (const stream of ['..', 'a/b', '', 'A', 'x'.repeat(65)]) {
    await assert.rejects(open(createMemoryFiles(), { stream }), JournalFailed)
  }
})
