import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilePort } from '../../../src/disk/files.ts'
import { encodeOpening, encodeRecord } from '../../../src/audit/journal/frame.ts'
import { verifyJournal } from '../../../src/audit/verify/verify.ts'
import {
  append,
  directory,
  eventId,
  heldIds,
  leapingClock,
  open,
  recordOf,
  segmentPath,
  until,
  verify,
} from '../journal-fixture.ts'
import { createMemoryFiles, failure, type MemoryFiles } from '../memory-files.ts'

const smallBytes = 4096

/**
 * Segment 1 was ended by an error, segment 2 by a kill, and segment 3 was closed: all the ways to end.
 */
async function everyEnd(): Promise<MemoryFiles> {
  const files = createMemoryFiles()
  const { journal } = await open(files, { segmentBytes: smallBytes, clock: leapingClock() })
  await append(journal, 1)
  await append(journal, 2)
  files.plan = (operation, path) =>
    operation === 'datasync' && path === segmentPath(1) ? failure('EIO') : 'done'
  await assert.rejects(append(journal, 3))
  files.plan = () => 'done'
  await until(() => journal.healthy)
  await append(journal, 4)
  await append(journal, 5)
  files.kill()
  const last = await open(files, { segmentBytes: smallBytes })
  await append(last.journal, 6)
  await append(last.journal, 7)
  await last.journal.close()
  return files
}

/** The offsets of the frames in a segment and the end of the last one, from the format's lengths. */
function boundaries(bytes: Buffer): number[] {
  const offsets = [136]
  for (let at = 136; at + 85 <= bytes.length && bytes[at + 4] !== 0;) {
    at += 85 + bytes.readUInt32BE(at)
    offsets.push(at)
  }
  return offsets
}

/** The report after a change to a segment's bytes. */
async function afterChange(files: MemoryFiles, number: number, change: (bytes: Buffer) => Buffer) {
  const path = segmentPath(number)
  const original = files.readFile(path)
  files.writeFile(path, change(Buffer.from(original)))
  const report = await verify(files)
  files.writeFile(path, original)
  return report
}

function flipped(at: number) {
  return (bytes: Buffer) => {
    bytes[at] = (bytes[at] ?? 0) ^ 0x01
    return bytes
  }
}

test('a journal whose segments ended in every way is whole', async () => {
  const files = await everyEnd()
  const report = await verify(files)
  assert.equal(report.whole, true)
  assert.deepEqual(report.breaks, [])
  assert.deepEqual([report.segments, report.records], [3, 6])
  assert.deepEqual(await heldIds(files), [1, 2, 4, 5, 6, 7].map(eventId))
})

test('a change of any byte that counts is found, in its file and not behind its position', async () => {
  const files = await everyEnd()
  for (const number of [1, 2, 3]) {
    const bytes = files.readFile(segmentPath(number))
    // Segment 1 was not trimmed: behind event 2 are bytes that, by its successor, do not count.
    const end = number === 1 ? boundaries(bytes)[3] : bytes.length
    assert.ok(end !== undefined)
    for (let at = 0; at < end; at += 1) {
      const report = await afterChange(files, number, flipped(at))
      assert.equal(report.whole, false, `segment ${number}, byte ${at}`)
      const found = report.breaks.some(
        ({ file, offset }) => file === segmentPath(number).slice(14) && offset <= at,
      )
      // A change of the first frame's statement about the previous segment may be found in that
      // segment.
      assert.ok(found, `segment ${number}, byte ${at}: ${JSON.stringify(report.breaks)}`)
    }
  }
})

test('behind the offset that the successor of a failed segment names, no byte counts', async () => {
  const files = await everyEnd()
  const bytes = files.readFile(segmentPath(1))
  assert.equal(bytes.length, smallBytes)
  for (let at = boundaries(bytes)[3] ?? 0; at < bytes.length; at += 1) {
    const report = await afterChange(files, 1, flipped(at))
    assert.deepEqual([report.whole, report.records], [true, 6], `byte ${at}`)
  }
})

test('in a segment that is still open, all but the last batch and the blank tail is proved', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files, { segmentBytes: smallBytes })
  await append(journal, 1)
  await append(journal, 2)
  await append(journal, 3)
  files.kill()
  const bytes = files.readFile(segmentPath(1))
  const offsets = boundaries(bytes)
  const lastBatch = offsets[3] ?? 0
  for (let at = 0; at < bytes.length; at += 1) {
    const report = await afterChange(files, 1, flipped(at))
    assert.equal(report.whole, at >= lastBatch, `byte ${at}`)
    if (report.whole) assert.ok(report.records >= 2)
  }
})

test('removed, repeated and reordered frames are found', async () => {
  const files = await everyEnd()
  for (const number of [1, 2, 3]) {
    const bytes = files.readFile(segmentPath(number))
    const [, first = 0, second = 0, third = 0] = boundaries(bytes)
    const cut = (from: number, to?: number) => bytes.subarray(from, to)
    const changes: Record<string, Buffer> = {
      'first taken out': Buffer.concat([cut(0, first), cut(second)]),
      'last taken out': Buffer.concat([cut(0, second), cut(third)]),
      'first twice': Buffer.concat([cut(0, second), cut(first)]),
      'last twice': Buffer.concat([cut(0, third), cut(second)]),
      exchanged: Buffer.concat([cut(0, first), cut(second, third), cut(first, second), cut(third)]),
    }
    for (const [name, changed] of Object.entries(changes)) {
      for (const size of [changed.length, bytes.length]) {
        const padded = Buffer.alloc(size)
        changed.copy(padded)
        // Cut to the old size, a frame that was repeated at the very end is gone again.
        if (padded.equals(bytes)) continue
        const report = await afterChange(files, number, () => padded)
        // Behind the offset that segment 1's successor names nothing counts, and a repeated frame does
        // not either.
        const behind = number === 1 && name === 'last twice' && size === bytes.length
        assert.equal(report.whole, behind, `segment ${number}, ${name}, ${size} bytes`)
        if (behind) assert.equal(report.records, 6)
      }
    }
  }
})

test('a segment that ends early at any byte is found', async () => {
  const files = await everyEnd()
  for (const number of [2, 3]) {
    const bytes = files.readFile(segmentPath(number))
    const ends = boundaries(bytes)
    for (let size = 0; size < bytes.length; size += 1) {
      const report = await afterChange(files, number, () => bytes.subarray(0, size))
      // A chain cannot show that the newest frames of a stream were cut off between two frames.
      const provable = number !== 3 || !ends.slice(1).includes(size)
      assert.equal(report.whole, !provable, `segment ${number}, ${size} bytes`)
    }
  }
})

test('bytes behind the end of a segment that was closed or trimmed are found', async () => {
  const files = await everyEnd()
  for (const number of [2, 3]) {
    for (const added of [Buffer.alloc(1), Buffer.from('x'), Buffer.alloc(smallBytes)]) {
      const report = await afterChange(files, number, (bytes) => Buffer.concat([bytes, added]))
      assert.equal(report.whole, false)
    }
  }
  const filled = await afterChange(files, 3, (bytes) =>
    Buffer.concat([bytes, Buffer.alloc(smallBytes - bytes.length, 'x')]),
  )
  assert.equal(filled.whole, false)
})

test('removed, copied and exchanged segments are found', async () => {
  const files = await everyEnd()
  const [one, two, three] = [1, 2, 3].map((number) => files.readFile(segmentPath(number)))
  assert.ok(one && two && three)
  for (const number of [1, 2]) {
    const original = files.readFile(segmentPath(number))
    await files.remove(segmentPath(number))
    const report = await verify(files)
    assert.equal(report.whole, false)
    assert.match(report.breaks[0]?.why ?? '', /missing/)
    assert.equal(report.breaks[0]?.file, segmentPath(number).slice(14))
    files.writeFile(segmentPath(number), original)
  }
  files.writeFile(segmentPath(4), three)
  assert.equal((await verify(files)).whole, false)
  await files.remove(segmentPath(4))
  files.writeFile(segmentPath(2), three)
  files.writeFile(segmentPath(3), two)
  assert.equal((await verify(files)).whole, false)
  files.writeFile(segmentPath(2), two)
  files.writeFile(segmentPath(3), three)
  assert.equal((await verify(files)).whole, true)
  files.writeFile(`${directory}/worker-0/1.seg`, one)
  assert.equal((await verify(files)).whole, false)
})

test('a repeated event id is found, in one set or share by share, over all streams', async () => {
  const files = createMemoryFiles()
  for (const stream of ['worker-0', 'worker-1']) {
    const { journal } = await open(files, { stream })
    for (let n = 0; n < 50; n += 1) {
      await append(journal, stream === 'worker-0' || n === 33 ? n : 1000 + n)
    }
    await journal.close()
  }
  for (const eventIdsMax of [1000, 99, 50, 7, 1]) {
    const report = await verifyJournal(directory, { files, eventIdsMax })
    assert.equal(report.breakCount, 1, `${eventIdsMax} at once`)
    assert.match(report.breaks[0]?.file ?? '', /^worker-1\//)
    assert.match(report.breaks[0]?.why ?? '', new RegExp(`${eventId(33)} occurs a second time`))
  }
})

test('a record that is not a JSON object, or names another event id, is found', async () => {
  const texts = ['{"eventID":', '"text"', '{}', recordOf(eventId(2)), 'null']
  for (const text of [...texts, recordOf(eventId(1))]) {
    const files = createMemoryFiles()
    const { journal } = await open(files)
    await journal.append(eventId(1), text)
    await journal.close()
    assert.equal((await verify(files)).whole, text === recordOf(eventId(1)), text)
  }
})

test('a directory without a journal is not whole, one that is absent cannot be read', async () => {
  const files = createMemoryFiles()
  await assert.rejects(verifyJournal('/data/none'))
  await files.makeDirectory(directory)
  const report = await verify(files)
  assert.deepEqual([report.whole, report.breakCount], [false, 1])
})

test('breaks beyond the first hundred are counted and not listed', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  await Promise.all(Array.from({ length: 150 }, () => journal.append(eventId(1), 'null')))
  await journal.close()
  const report = await verify(files)
  assert.equal(report.breaks.length, 100)
  assert.equal(report.breakCount, 150 + 149)
})

test('a tail full of beginnings of frames is given up as damage, within a bound', async () => {
  const files = createMemoryFiles()
  const allocated = 2 * 1024 * 1024
  const header = { version: 1, stream: 'worker-0', number: 1, created: 0, allocated } as const
  const opening = encodeOpening(header, undefined)
  const bytes = Buffer.alloc(header.allocated)
  opening.copy(bytes)
  const start = opening.length + 85
  for (let at = start; at + 60 < bytes.length; at += 64) {
    bytes.writeUInt32BE(250_000, at)
    bytes.writeUInt8(2, at + 4)
    bytes.writeBigUInt64BE(BigInt(opening.length + 1), at + 13)
  }
  files.writeFile(segmentPath(1), bytes)
  const report = await verify(files)
  assert.equal(report.whole, false)
  assert.match(report.breaks[0]?.why ?? '', /cannot be distinguished from damage/)
})

test('a verifier that reads while the journal writes finds the segment whole', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const progress = { writing: true }
  const writer = (async () => {
    for (let n = 0; n < 300; n += 1) await append(journal, n)
    progress.writing = false
  })()
  // Each read waits for a turn of the event loop, so that records are written in between.
  const slow: FilePort = {
    ...files,
    openToRead: async (path) => {
      const file = await files.openToRead(path)
      const read: typeof file.read = async (into, position) => {
        await new Promise((resolve) => void setImmediate(resolve))
        return file.read(into, position)
      }
      return { ...file, read }
    },
  }
  let readings = 0
  while (progress.writing) {
    const report = await verifyJournal(directory, { files: slow })
    assert.deepEqual(report.breaks, [])
    readings += 1
  }
  await writer
  await journal.close()
  assert.ok(readings > 0)
  assert.equal((await verify(files)).records, 300)
})

test('a frame that says it was made after bytes behind it were durable is out of place', async () => {
  const files = createMemoryFiles()
  const opening = encodeOpening(
    { version: 1, stream: 'worker-0', number: 1, created: 0, allocated: smallBytes },
    undefined,
  )
  const bytes = Buffer.alloc(smallBytes)
  opening.copy(bytes)
  const link = { time: 0, synced: opening.length + 1, previous: opening.subarray(-32) }
  const size = encodeRecord(bytes, opening.length, link, eventId(1), recordOf(eventId(1)))
  files.writeFile(segmentPath(1), bytes.subarray(0, opening.length + size))
  const report = await verify(files)
  assert.equal(report.whole, false)
  assert.equal(report.breaks[0]?.offset, opening.length)
})
