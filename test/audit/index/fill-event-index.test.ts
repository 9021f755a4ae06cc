/** What the event index takes from the journal: everything that counts, once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unpackEvents } from '../../../src/audit/index/event-blocks.ts'
import {
  createFiller,
  fillEventIndex,
  type IndexRows,
} from '../../../src/audit/index/fill-event-index.ts'
import { createNewRecords } from '../../../src/audit/index/new-records.ts'
import type { OpenJournal } from '../../../src/audit/journal/journal.ts'
import type { IndexPosition } from '../../../src/store/tables/event-index-rows.ts'
import { directory, eventId, leapingClock, open, segmentPath } from '../journal-fixture.ts'
import { createMemoryFiles, failure, type MemoryFiles } from '../memory-files.ts'

const eventTime = '2030-01-01T00:00:00Z'
const members = { awsRegion: 'us-west-2', recipientAccountId: '111122223333' }

function recordOf(id: string, filler: string): string {
  return JSON.stringify({ eventTime, eventID: id, ...members, filler })
}

const append = (journal: OpenJournal, n: number, filler = ''): Promise<void> =>
  journal.append(eventId(n), recordOf(eventId(n), filler))

/** An index in memory in which every `failsEvery`th save fails. */
function memoryIndex(failsEvery = Infinity) {
  const positions = new Map<string, IndexPosition>()
  const ids: string[] = []
  let calls = 0
  const rows: IndexRows = {
    positions: () => Promise.resolve([...positions.values()]),
    save(blocks, _calls, position) {
      calls += 1
      if (calls % failsEvery === 0) return Promise.reject(new Error('the store is gone'))
      positions.set(position.stream, position)
      for (const { content } of blocks) {
        ids.push(...unpackEvents(content).map((event) => event.eventId))
      }
      return Promise.resolve()
    },
  }
  return { rows, ids }
}

const source = (files: MemoryFiles, journal?: OpenJournal) => ({
  files,
  directory,
  durable: journal === undefined ? [] : [journal.position],
})

const idsTo = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => eventId(index + 1))

test('each filling indexes new records only, across segments and restarts', async () => {
  const files = createMemoryFiles()
  const { rows, ids } = memoryIndex()
  let n = 0
  for (let round = 0; round < 4; round += 1) {
    const { journal } = await open(files)
    for (let count = 0; count < 13; count += 1) {
      n += 1
      await append(journal, n, 'x'.repeat(600))
      if (count % 5 === 0) await fillEventIndex(source(files, journal), rows)
    }
    if (round % 2 === 0) await journal.close()
  }
  await fillEventIndex(source(files), rows)
  assert.deepEqual(ids, idsTo(n))
  assert.equal(await fillEventIndex(source(files), rows), 0)
})

test('after a failure, filling continues at the same position and loses nothing', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  for (const n of idsTo(40).keys()) await append(journal, n + 1, 'x'.repeat(900))
  const { rows, ids } = memoryIndex(3)
  for (;;) {
    const filled = await fillEventIndex(source(files, journal), rows).catch(() => undefined)
    if (filled !== undefined) break
  }
  assert.deepEqual(ids, idsTo(40))
})

test('records that were never synced are not indexed, even when their segment is over', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files, { clock: leapingClock() })
  await append(journal, 1)
  files.plan = (operation) => (operation === 'datasync' ? failure('EIO') : 'done')
  await assert.rejects(append(journal, 2))
  const { rows, ids } = memoryIndex()
  await fillEventIndex(source(files, journal), rows)
  assert.deepEqual(ids, [eventId(1)])
  files.plan = () => 'done'
  while (!journal.healthy) await new Promise((resolve) => void setTimeout(resolve, 1))
  await append(journal, 3)
  await fillEventIndex(source(files, journal), rows)
  assert.deepEqual(ids, [eventId(1), eventId(3)])
})

test('deleted segments are skipped', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const { rows, ids } = memoryIndex()
  await append(journal, 1)
  await fillEventIndex(source(files, journal), rows)
  for (let n = 2; n <= 40; n += 1) await append(journal, n, 'x'.repeat(900))
  const { segment } = journal.position
  assert(segment > 3)
  await files.remove(segmentPath(1))
  await files.remove(segmentPath(2))
  await fillEventIndex(source(files, journal), rows)
  assert.equal(ids[0], eventId(1))
  assert.equal(ids.at(-1), eventId(40))
  assert.equal(new Set(ids).size, ids.length)
})

/** A filler, and the queue from which it gets a journal's records. */
async function handing(files: MemoryFiles, bytesMax?: number, failsEvery?: number) {
  const queue = createNewRecords(bytesMax)
  const { journal } = await open(files, { onRecords: (records) => queue.add(records) })
  const index = memoryIndex(failsEvery)
  // A server's reads of the files, which are none if everything is handed over.
  let reads = 0
  const counting = {
    ...files,
    openToRead: (path: string) => {
      reads += 1
      return files.openToRead(path)
    },
  }
  const filler = createFiller({ files: counting, directory }, index.rows)
  const fill = () => filler.index([queue.take(journal.position)])
  await fill()
  reads = 0
  return { journal, fill, ...index, reads: () => reads }
}

test('records that are handed over are indexed without reading the journal', async () => {
  const files = createMemoryFiles()
  const { journal, fill, ids, reads } = await handing(files)
  for (let n = 1; n <= 60; n += 1) {
    const [id, filler] = [eventId(n), 'x'.repeat(n % 7 === 0 ? 900 : 10)]
    const facts = { members: JSON.stringify(members), time: Date.parse(eventTime) }
    await journal.append(id, recordOf(id, filler), n % 2 === 0 ? facts : undefined)
    if (n % 9 === 0) await fill()
  }
  assert(journal.position.segment > 1)
  await fill()
  assert.deepEqual(ids, idsTo(60))
  assert.equal(reads(), 0)
  assert.equal(await fillEventIndex(source(files, journal), memoryIndex().rows), 60)
})

test('what is not saved is read back, and indexed once', async () => {
  const files = createMemoryFiles()
  const { journal, fill, ids, reads } = await handing(files, undefined, 3)
  for (let n = 1; n <= 40; n += 1) {
    await append(journal, n, 'x'.repeat(300))
    await fill().catch(() => undefined)
  }
  while ((await fill().catch(() => undefined)) === undefined) continue
  assert.deepEqual(ids, idsTo(40))
  assert(reads() > 0)
})

test('records that did not fit into memory are read back', async () => {
  const files = createMemoryFiles()
  const { journal, fill, ids, reads } = await handing(files, 1000)
  for (let n = 1; n <= 30; n += 1) {
    await append(journal, n, 'x'.repeat(n % 5 === 0 ? 2000 : 10))
    if (n % 4 === 0) await fill()
  }
  await fill()
  assert.deepEqual(ids, idsTo(30))
  assert(reads() > 0)
})

test('the last records of a stream that is no longer written are indexed', async () => {
  const files = createMemoryFiles()
  const { journal, ids, rows } = await handing(files)
  const filler = createFiller({ files, directory }, rows)
  const queue = createNewRecords()
  await filler.index([queue.take(journal.position)])
  await append(journal, 1)
  await journal.close()
  await filler.index([])
  assert.deepEqual(ids, [eventId(1)])
})
