import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import { append, eventId, heldIds, open, segmentPath, until, verify } from './journal-fixture.ts'
import { createMemoryFiles, failure } from './memory-files.ts'

const segmentBytes = 2048
/** The end of the first frame of a stream's first segment: header, frame, `{"previous":null}`. */
const openingEnd = 136 + 85 + 17

/** A segment as a killed process leaves it, and the ends of its records' frames. */
async function killed() {
  const files = createMemoryFiles()
  const { journal } = await open(files, { segmentBytes })
  for (const n of [1, 2, 3]) await append(journal, n)
  files.kill()
  const bytes = files.readFile(segmentPath(1))
  const ends: number[] = []
  for (let at = openingEnd; bytes[at + 4] === 2; ends.push(at)) at += 85 + bytes.readUInt32BE(at)
  assert.equal(ends.length, 3)
  return { bytes, ends }
}

test('a start after a crash at any byte keeps every whole record, and the journal is whole', async () => {
  const { bytes, ends } = await killed()
  for (let written = openingEnd; written <= (ends[2] ?? 0); written += 1) {
    const files = createMemoryFiles()
    const left = Buffer.alloc(segmentBytes)
    bytes.copy(left, 0, 0, written)
    files.writeFile(segmentPath(1), left)
    const { journal, errors } = await open(files, { segmentBytes })
    assert.deepEqual(errors, [])
    assert.equal(journal.position.segment, 2)
    await append(journal, 9)
    await journal.close()
    const whole = [1, 2, 3].filter((n) => written >= (ends[n - 1] ?? 0))
    assert.deepEqual(await heldIds(files), [...whole, 9].map(eventId), `${written} bytes`)
    assert.equal((await verify(files)).whole, true)
    // The torn bytes are cut off: the file ends with its last frame.
    assert.equal(files.readFile(segmentPath(1)).length, ends[whole.length - 1] ?? openingEnd)
  }
})

test('a start with a damaged segment head serves calls, and the verifier reports it from then on', async () => {
  const { bytes } = await killed()
  for (let written = 0; written < openingEnd; written += 1) {
    const files = createMemoryFiles()
    const left = Buffer.alloc(segmentBytes)
    bytes.copy(left, 0, 0, written)
    files.writeFile(segmentPath(1), left)
    const { journal, errors } = await open(files, { segmentBytes })
    assert.match(errors[0]?.message ?? '', /the journal is damaged: segment 1/)
    await append(journal, 9)
    await journal.close()
    assert.equal((await verify(files)).whole, false)
    assert.deepEqual(files.readFile(segmentPath(1)), left)
  }
})

test('a start distinguishes damage of acknowledged records from a torn write, and keeps the evidence', async () => {
  const { bytes, ends } = await killed()
  for (let at = openingEnd; at < (ends[2] ?? 0); at += 1) {
    const files = createMemoryFiles()
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x80
    files.writeFile(segmentPath(1), changed)
    const { journal, errors } = await open(files, { segmentBytes })
    await append(journal, 9)
    await journal.close()
    // Only the last batch has nothing behind it that proves it durable.
    const proved = at < (ends[1] ?? 0)
    assert.equal(errors.length, proved ? 1 : 0, `byte ${at}`)
    assert.equal((await verify(files)).whole, !proved, `byte ${at}`)
    if (proved) assert.deepEqual(files.readFile(segmentPath(1)), changed)
  }
})

test('a segment of a newer version stops the start', async () => {
  const { bytes } = await killed()
  const files = createMemoryFiles()
  bytes.writeUInt32BE(3, 8)
  hash('sha256', bytes.subarray(0, 104), 'buffer').copy(bytes, 104)
  files.writeFile(segmentPath(1), bytes)
  await assert.rejects(open(files), (error: Error) => {
    assert.ok(error instanceof JournalFailed)
    assert.match(error.message, /version 3 of the format is not known/)
    return true
  })
  const report = await verify(files)
  assert.equal(report.whole, false)
})

test('records that a start found whole survive a power cut, even if they were never synced', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  await append(journal, 1)
  // The frame is in the page cache, and the kernel treats its pages as written.
  files.plan = (operation, path) =>
    (operation === 'datasync' && path.endsWith('.seg')) || operation === 'create'
      ? failure('EIO')
      : 'done'
  await assert.rejects(append(journal, 2), JournalFailed)
  files.kill()
  files.plan = () => 'done'
  const second = await open(files)
  assert.deepEqual(await heldIds(files), [1, 2].map(eventId))
  await append(second.journal, 3)
  files.cutPower(() => false)
  await open(files)
  assert.deepEqual(await heldIds(files), [1, 2, 3].map(eventId))
  assert.equal((await verify(files)).whole, true)
})

test('a start that fails half way leaves everything that the next one needs', async () => {
  for (const operation of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    for (const nth of [1, 2, 3]) {
      const files = createMemoryFiles()
      const { journal } = await open(files)
      await append(journal, 1)
      files.kill()
      let seen = 0
      files.plan = (met) => {
        if (met === operation) seen += 1
        return met === operation && seen === nth ? failure('EIO') : 'done'
      }
      await open(files).then(
        ({ journal: opened }) => append(opened, 2),
        (error: unknown) => assert.match(String(error), /EIO/),
      )
      files.plan = () => 'done'
      files.cutPower(() => false)
      const last = await open(files)
      await append(last.journal, 3)
      await last.journal.close()
      const held = await heldIds(files)
      assert.equal(held[0], eventId(1), `${operation} ${nth}`)
      assert.equal(held.at(-1), eventId(3))
      assert.equal((await verify(files)).whole, true, `${operation} ${nth}`)
    }
  }
})

test('the next attempt reuses the name that a failed opening left', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  await append(journal, 1)
  let failed = 0
  files.plan = (operation, path) => {
    if (operation === 'datasync' && path === segmentPath(1)) return failure('EIO')
    // The directory sync after the renaming: the name exists, but may not be durable.
    if (operation === 'syncDirectory' && failed < 3 && files.paths().includes(segmentPath(2))) {
      failed += 1
      return failure('EIO')
    }
    return 'done'
  }
  await assert.rejects(append(journal, 2), JournalFailed)
  await until(() => journal.healthy)
  assert.equal(failed, 3)
  assert.equal(journal.position.segment, 2)
  await append(journal, 3)
  files.cutPower(() => false)
  await open(files)
  assert.deepEqual(await heldIds(files), [1, 3].map(eventId))
  assert.equal((await verify(files)).whole, true)
})
