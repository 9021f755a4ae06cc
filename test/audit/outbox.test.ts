import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import { createOutbox, drainOutbox } from '../../src/audit/outbox.ts'
import type { OutboxRow } from '../../src/store/schema/changes.ts'
import {
  append,
  directory,
  eventId,
  heldIds,
  open,
  recordOf,
  segmentPath,
  stream,
  until,
  verify,
} from './journal-fixture.ts'
import { createMemoryFiles, failure } from './memory-files.ts'

/** The outbox rows of a store, in memory. */
function createRows() {
  const rows = new Map<string, OutboxRow>()
  return {
    rows,
    commit: (n: number, segment: number, at = stream) => {
      const id = eventId(n)
      rows.set(id, { eventId: id, record: recordOf(id), stream: at, segment })
    },
    listOutbox: async (limit: number) => {
      await Promise.resolve()
      return [...rows.values()].slice(0, limit)
    },
    deleteOutbox: async (eventIds: readonly string[]) => {
      await Promise.resolve()
      for (const id of eventIds) rows.delete(id)
    },
  }
}

const noError = (error: Error): void => assert.fail(error)

test('the start appends the rows that the journal lacks, and drops those that it holds', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const first = await open(files)
  store.commit(1, 1)
  await append(first.journal, 1)
  store.commit(2, 1)
  store.commit(3, 1)
  await append(first.journal, 3)
  files.kill()
  const { journal } = await open(files)
  const drained = await drainOutbox({ store, journal, directory, files, onError: noError })
  assert.deepEqual(drained, { rows: 3, appended: 1 })
  assert.equal(store.rows.size, 0)
  assert.deepEqual(await drainOutbox({ store, journal, directory, files }), {
    rows: 0,
    appended: 0,
  })
  assert.deepEqual(await heldIds(files), [1, 3, 2].map(eventId))
  assert.equal((await verify(files)).whole, true)
})

test('a row is searched for in the stream that it names, even if another worker starts', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const other = await open(files, { stream: 'worker-1' })
  store.commit(1, 1, 'worker-1')
  await append(other.journal, 1)
  await other.journal.close()
  const { journal } = await open(files)
  const drained = await drainOutbox({ store, journal, directory, files, onError: noError })
  assert.deepEqual(drained, { rows: 1, appended: 0 })
})

test('more rows than one batch are drained, each record once', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files, { segmentBytes: 65536 })
  for (let n = 0; n < 2500; n += 1) store.commit(n, 1)
  for (let n = 0; n < 2500; n += 3) await append(journal, n)
  const drained = await drainOutbox({ store, journal, directory, files, onError: noError })
  assert.deepEqual(drained, { rows: 2500, appended: 2500 - 834 })
  const held = await heldIds(files)
  assert.equal(new Set(held).size, 2500)
  assert.equal(held.length, 2500)
})

test('frames behind the durable offset that the successor names do not count as held', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  store.commit(1, 1)
  files.plan = (operation, path) =>
    operation === 'datasync' && path === segmentPath(1) ? failure('EIO') : 'done'
  await assert.rejects(append(journal, 1), JournalFailed)
  // The whole frame can be read, and yet does not count.
  assert.ok(files.readFile(segmentPath(1)).includes(recordOf(eventId(1))))
  files.plan = () => 'done'
  await until(() => journal.healthy)
  await append(journal, 2)
  files.kill()
  const next = await open(files)
  const drained = await drainOutbox({ store, journal: next.journal, directory, files })
  assert.deepEqual(drained, { rows: 1, appended: 1 })
  assert.deepEqual(await heldIds(files), [2, 1].map(eventId))
  assert.equal((await verify(files)).whole, true)
})

test('rows stay when their records cannot be made durable', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  store.commit(1, 1)
  files.plan = (operation) => (operation === 'datasync' ? failure('EIO') : 'done')
  await assert.rejects(drainOutbox({ store, journal, directory, files }), JournalFailed)
  assert.equal(store.rows.size, 1)
})

test('a start reports damage, and appends the records behind it again', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const first = await open(files)
  store.commit(1, 1)
  await append(first.journal, 1)
  await first.journal.close()
  const bytes = files.readFile(segmentPath(1))
  bytes[300] = (bytes[300] ?? 0) ^ 1
  files.writeFile(segmentPath(1), bytes)
  const { journal } = await open(files)
  const errors: Error[] = []
  const onError = (error: Error) => errors.push(error)
  const drained = await drainOutbox({ store, journal, directory, files, onError })
  assert.deepEqual(drained, { rows: 1, appended: 1 })
  assert.match(errors[0]?.message ?? '', /the journal is damaged: worker-0\/000000000001.seg/)
})

test('a settled record is in the journal at once, and its row goes later', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  const outbox = createOutbox({ store, journal, onError: noError, deleteDelayMs: 1 })
  store.commit(1, 1)
  await outbox.settle(eventId(1), recordOf(eventId(1)))
  assert.deepEqual(await heldIds(files), [eventId(1)])
  assert.equal(outbox.unsettled, 0)
  await until(() => store.rows.size === 0)
  await outbox.close()
})

test('closing the outbox deletes the rows that are done', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  const outbox = createOutbox({ store, journal, onError: noError, deleteDelayMs: 1e6 })
  const settling = [1, 2, 3].map((n) => {
    store.commit(n, 1)
    return outbox.settle(eventId(n), recordOf(eventId(n)))
  })
  await outbox.close()
  await Promise.all(settling)
  assert.equal(store.rows.size, 0)
})

test('a record whose append failed is appended once the journal is healthy, once', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  const options = { deleteDelayMs: 1, retryDelayMs: 1 }
  const outbox = createOutbox({ store, journal, onError: noError, ...options })
  store.commit(1, 1)
  let held = true
  files.plan = (operation, path) =>
    (operation === 'datasync' && path === segmentPath(1)) || (held && operation === 'rename')
      ? failure('EIO')
      : 'done'
  await assert.rejects(outbox.settle(eventId(1), recordOf(eventId(1))), JournalFailed)
  assert.equal(outbox.unsettled, 1)
  assert.equal(store.rows.size, 1)
  held = false
  await until(() => outbox.unsettled === 0 && store.rows.size === 0)
  await outbox.close()
  await journal.close()
  assert.deepEqual(await heldIds(files), [eventId(1)])
  assert.equal((await verify(files)).whole, true)
})

test('the deletion of a row is retried after a failure, and its record stays single', async () => {
  const files = createMemoryFiles()
  const store = createRows()
  const { journal } = await open(files)
  const errors: Error[] = []
  let refusals = 3
  const failing = {
    ...store,
    deleteOutbox: async (eventIds: readonly string[]) => {
      refusals -= 1
      if (refusals >= 0) throw new Error('the store is away')
      await store.deleteOutbox(eventIds)
    },
  }
  const onError = (error: Error) => errors.push(error)
  const outbox = createOutbox({ store: failing, journal, onError, deleteDelayMs: 1 })
  store.commit(1, 1)
  store.commit(2, 1)
  await Promise.all([1, 2].map((n) => outbox.settle(eventId(n), recordOf(eventId(n)))))
  await until(() => store.rows.size === 0)
  assert.equal(errors.length, 3)
  await outbox.close()
  assert.deepEqual(await heldIds(files), [1, 2].map(eventId))
})
