import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import {
  append,
  eventId,
  heldIds,
  leapingClock,
  open,
  settled,
  until,
  verify,
} from './journal-fixture.ts'
import { createMemoryFiles, failure, type Fate, type FileOperation } from './memory-files.ts'

/** Fails the `nth` call of its kind on a segment, counted from now. */
function failNth(operation: FileOperation, nth: number, fate: Fate = failure('EIO')) {
  let seen = 0
  return (met: FileOperation, path: string): Fate => {
    if (met !== operation || !path.endsWith('.seg')) return 'done'
    seen += 1
    return seen === nth ? fate : 'done'
  }
}

test('writes that are cut short are continued until every byte is written', async () => {
  const files = createMemoryFiles()
  const { journal, errors } = await open(files)
  files.plan = (operation) => (operation === 'write' ? { short: 7 } : 'done')
  await Promise.all([append(journal, 1), append(journal, 2)])
  await journal.close()
  assert.deepEqual(errors, [])
  assert.equal((await heldIds(files)).length, 2)
  assert.equal((await verify(files)).whole, true)
})

const faults: readonly [string, FileOperation, number, Fate][] = [
  ['EIO on write', 'write', 2, failure('EIO')],
  ['ENOSPC on write', 'write', 2, failure('ENOSPC')],
  ['a write that takes nothing', 'write', 2, { short: 0 }],
  ['EIO on sync', 'datasync', 2, failure('EIO')],
]
for (const [name, operation, nth, fate] of faults) {
  test(`${name} ends the segment: its successor names the last durable offset`, async () => {
    const files = createMemoryFiles()
    const { journal, errors, fatal } = await open(files)
    const plan = failNth(operation, nth, fate)
    let held = true
    // No segment opens while `held`, so that the state in between can be checked.
    files.plan = (met, path) => (held && met === 'rename' ? failure('EBUSY') : plan(met, path))
    await append(journal, 1)
    const failing = settled([append(journal, 2), append(journal, 3)])
    await until(() => !journal.healthy)
    assert.equal(journal.position.segment, 1)
    assert.deepEqual(await failing, [false, false])
    await assert.rejects(append(journal, 4), JournalFailed)
    held = false
    await until(() => journal.healthy)
    assert.equal(journal.position.segment, 2)
    await append(journal, 5)
    await journal.close()
    assert.deepEqual(await heldIds(files), [eventId(1), eventId(5)])
    assert.equal((await verify(files)).whole, true)
    assert.match(errors[0]?.message ?? '', /segment 1 ended by an error/)
    assert.deepEqual(fatal, [])
  })
}

test('records appended while a batch fails are refused with it', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const late: Promise<readonly boolean[]>[] = []
  files.plan = (operation, path) => {
    if (operation !== 'datasync' || !path.endsWith('000001.seg')) return 'done'
    late.push(settled([append(journal, 2)]))
    return failure('EIO')
  }
  assert.deepEqual(await settled([append(journal, 1)]), [false])
  assert.deepEqual(await Promise.all(late), [[false]])
  await until(() => journal.healthy)
  await journal.close()
  assert.deepEqual(await heldIds(files), [])
})

test('ENOSPC after a part of the batch was taken loses nothing that was acknowledged', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  await append(journal, 1)
  let writes = 0
  files.plan = (operation, path) => {
    if (operation !== 'write' || !path.endsWith('000001.seg')) return 'done'
    writes += 1
    return writes === 1 ? { short: 150 } : failure('ENOSPC')
  }
  assert.deepEqual(await settled([append(journal, 2)]), [false])
  await until(() => journal.healthy)
  await append(journal, 3)
  files.cutPower(() => true)
  await open(files)
  assert.deepEqual(await heldIds(files), [eventId(1), eventId(3)])
  assert.equal((await verify(files)).whole, true)
})

test('after an error a segment is never written, synced or cut again', async () => {
  const files = createMemoryFiles()
  const { journal } = await open(files)
  const plan = failNth('datasync', 1)
  let ended = false
  const touched: string[] = []
  files.plan = (operation, path) => {
    if (ended && path.endsWith('000001.seg')) touched.push(operation)
    const fate = plan(operation, path)
    ended ||= fate !== 'done'
    return fate
  }
  assert.deepEqual(await settled([append(journal, 1)]), [false])
  await until(() => journal.healthy)
  await append(journal, 2)
  await journal.close()
  assert.ok(ended)
  assert.deepEqual(touched, [])
})

test('two segments ended by errors within a minute are fatal, once', async () => {
  const files = createMemoryFiles()
  const { journal, fatal } = await open(files)
  files.plan = (operation, path) =>
    operation === 'datasync' && path.endsWith('.seg') ? failure('EIO') : 'done'
  await assert.rejects(append(journal, 1), JournalFailed)
  await until(() => journal.healthy)
  assert.equal(fatal.length, 0)
  await assert.rejects(append(journal, 2), JournalFailed)
  assert.equal(fatal.length, 1)
  files.plan = () => 'done'
  for (let turn = 0; turn < 100; turn += 1) await new Promise((done) => void setImmediate(done))
  assert.equal(journal.healthy, false)
  await assert.rejects(append(journal, 3), JournalFailed)
  await journal.close()
  assert.equal(fatal.length, 1)
})

test('errors more than a minute apart are not fatal', async () => {
  const files = createMemoryFiles()
  const { journal, fatal } = await open(files, { clock: leapingClock() })
  for (const n of [1, 2, 3]) {
    files.plan = failNth('write', 1)
    await assert.rejects(append(journal, n), JournalFailed)
    await until(() => journal.healthy)
  }
  await append(journal, 4)
  await journal.close()
  assert.deepEqual(fatal, [])
  assert.deepEqual(await heldIds(files), [eventId(4)])
  assert.equal((await verify(files)).whole, true)
})

const openingFaults: readonly FileOperation[] = [
  'create',
  'write',
  'datasync',
  'sync',
  'rename',
  'syncDirectory',
]
for (const operation of openingFaults) {
  test(`an error of ${operation} keeps the first segment from opening, and the journal from starting`, async () => {
    const files = createMemoryFiles()
    files.plan = (met) => (met === operation ? failure('ENOSPC') : 'done')
    await assert.rejects(open(files), /ENOSPC/)
    files.plan = () => 'done'
    const { journal } = await open(files)
    await append(journal, 1)
    await journal.close()
    assert.deepEqual(await heldIds(files), [eventId(1)])
    assert.equal((await verify(files)).whole, true)
  })

  test(`while ${operation} fails at a roll the journal is unhealthy, then it heals`, async () => {
    const files = createMemoryFiles()
    const { journal, errors, fatal } = await open(files)
    await append(journal, 1, 'x'.repeat(6000))
    // Fails calls on everything but the open segment, many times, so that only opening fails.
    files.plan = (met, path) =>
      met === operation && !path.endsWith('000001.seg') ? failure('ENOSPC') : 'done'
    const answers: boolean[] = []
    for (let n = 2; answers.every(Boolean); n += 1) {
      answers.push(...(await settled([append(journal, n, 'x'.repeat(6000))])))
    }
    assert.equal(journal.healthy, false)
    await until(() => errors.length > 3)
    assert.equal(journal.healthy, false)
    files.plan = () => 'done'
    await until(() => journal.healthy)
    await append(journal, 100)
    await journal.close()
    const acknowledged = [1, ...answers.flatMap((ok, index) => (ok ? [index + 2] : [])), 100]
    assert.deepEqual(await heldIds(files), acknowledged.map(eventId))
    assert.equal((await verify(files)).whole, true)
    assert.deepEqual(fatal, [])
  })
}

test('a next segment that cannot be prepared ends readiness until it can', async () => {
  const files = createMemoryFiles()
  files.plan = (operation, path) =>
    operation === 'write' && path.endsWith('000002.seg.next') ? failure('ENOSPC') : 'done'
  const { journal } = await open(files, { reserveCheckMs: 1 })
  await until(() => !journal.hasReserve)
  assert.ok(journal.healthy)
  await append(journal, 1)
  files.plan = () => 'done'
  await until(() => journal.hasReserve)
  await journal.close()
})

test('the journal is not ready below the reserve of free space, or when it cannot be read', async () => {
  const files = createMemoryFiles()
  const { journal, errors } = await open(files, { reserveCheckMs: 1, reserveBytes: 1000 })
  assert.equal(journal.hasReserve, true)
  files.free = 999
  await until(() => !journal.hasReserve)
  files.free = 1000
  await until(() => journal.hasReserve)
  files.plan = (operation) => (operation === 'freeBytes' ? failure('EIO') : 'done')
  await until(() => !journal.hasReserve)
  assert.ok(errors.length > 0)
  await journal.close()
})
