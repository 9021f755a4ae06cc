/** Reads records of the journal by stretches, whole and damaged. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryCursor } from '../../../src/model/delivery.ts'
import { readCheckpoint } from '../../../src/audit/journal/checkpoint.ts'
import { readRange, readStretch } from '../../../src/audit/delivery/read-range.ts'
import { testKeyring } from '../../crypto/fixed.ts'
import { openAnchored, writerStore } from '../anchored.ts'
import { append, directory, eventId, recordOf, segmentPath, stream } from '../journal-fixture.ts'
import { createMemoryFiles, type MemoryFiles } from '../memory-files.ts'

async function written() {
  const files = createMemoryFiles()
  const store = writerStore()
  const keyring = testKeyring()
  const { journal, anchors, stop } = await openAnchored({ files, directory, store, keyring })
  for (let n = 1; n <= 40; n += 1) await append(journal, n, 'x'.repeat(1000))
  await stop()
  const until = readCheckpoint(anchors.last.text)
  assert.ok(until)
  return { files, until }
}

/** Everything from the genesis to `until`, and why parts of it could not be read. */
async function all(files: MemoryFiles, until: { segment: number; offset: number }) {
  const records: string[] = []
  const damage: string[] = []
  let from: DeliveryCursor = { stream, segment: 1, offset: 0 }
  for (;;) {
    const stretch = await readStretch({ files, directory }, from, until)
    if (stretch === undefined) return { records, damage }
    if (stretch.damage === undefined) {
      assert.deepEqual(await readRange({ files, directory }, stretch.range), stretch.records)
    } else damage.push(stretch.damage)
    records.push(...stretch.records)
    from = stretch.next
  }
}

const wanted = Array.from({ length: 40 }, (_, n) => recordOf(eventId(n + 1), 'x'.repeat(1000)))

test('stretches from the genesis to a checkpoint are all records before it, in order', async () => {
  const { files, until } = await written()
  assert.deepEqual(await all(files, until), { records: wanted, damage: [] })
})

test('a place before the last record ends the last stretch', async () => {
  const { files } = await written()
  const first = await readStretch(
    { files, directory },
    { stream, segment: 1, offset: 0 },
    {
      segment: 2,
      offset: 0,
    },
  )
  const { records } = await all(files, { segment: 1, offset: first?.range.to ?? 0 })
  assert.deepEqual(records, wanted.slice(0, records.length))
  assert.ok(records.length > 0 && records.length < wanted.length)
})

test('a missing segment is reported, and those behind it are read', async () => {
  const { files, until } = await written()
  await files.remove(segmentPath(2))
  const { records, damage } = await all(files, until)
  assert.ok(damage.length > 0)
  assert.ok(records.length > 0 && records.length < wanted.length)
  assert.equal(records.at(-1), wanted.at(-1))
})

test('the rest of a damaged segment is not read, but the next segment is', async () => {
  const { files, until } = await written()
  const bytes = files.readFile(segmentPath(1))
  bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 1
  files.writeFile(segmentPath(1), bytes)
  const { records, damage } = await all(files, until)
  assert.deepEqual(damage, ['the frame is not whole'])
  assert.ok(records.length < wanted.length)
  assert.equal(records.at(-1), wanted.at(-1))
})
