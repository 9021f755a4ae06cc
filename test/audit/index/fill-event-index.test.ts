/** What the event index takes from the journal: everything that counts, once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unpackEvents } from '../../../src/audit/index/event-blocks.ts'
import { fillEventIndex, type IndexRows } from '../../../src/audit/index/fill-event-index.ts'
import type { OpenJournal } from '../../../src/audit/journal/journal.ts'
import type { IndexPosition } from '../../../src/store/tables/event-index-rows.ts'
import { directory, eventId, leapingClock, open, segmentPath } from '../journal-fixture.ts'
import { createMemoryFiles, failure, type MemoryFiles } from '../memory-files.ts'

function recordOf(id: string, filler: string): string {
  return JSON.stringify({
    eventTime: '2030-01-01T00:00:00Z',
    awsRegion: 'us-west-2',
    eventID: id,
    recipientAccountId: '111122223333',
    filler,
  })
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
