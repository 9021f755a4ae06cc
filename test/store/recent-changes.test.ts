/** The latest changes in memory, in place of those that the database would tell again. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../../src/store/change.ts'
import {
  committedChanges,
  createRecentChanges,
  openChanges,
} from '../../src/store/recent-changes.ts'

/** Two rows of one change. */
function changes(from: number, upTo: number): readonly Change[] {
  const all: Change[] = []
  for (let seq = from; seq <= upTo; seq += 1) {
    for (const id of ['a', 'b']) all.push({ seq, kind: 'key', accountId: '1', region: 'r', id })
  }
  return all
}

/** A log that counts what is read of it. */
function logOf(head: number) {
  const log = { head, isLost: false, asked: [] as number[] }
  const read = async (seq: number): Promise<readonly Change[] | undefined> => {
    log.asked.push(seq)
    return log.isLost ? undefined : changes(seq + 1, log.head)
  }
  return { log, read }
}

test('changes are read once, and only those that are new', async () => {
  const { log, read } = logOf(5)
  const since = committedChanges(read, createRecentChanges(), () => log.head)
  assert.deepEqual(await since(2), changes(3, 5))
  assert.deepEqual(await since(2), changes(3, 5))
  assert.deepEqual(await since(4), changes(5, 5))
  assert.deepEqual(log.asked, [2])
  log.head = 7
  assert.deepEqual(await since(3), changes(4, 7))
  assert.deepEqual(await since(6), changes(7, 7))
  assert.deepEqual(log.asked, [2, 5])
  // Older ones are not in memory.
  assert.deepEqual(await since(0), changes(1, 7))
  assert.deepEqual(await since(7), [])
  assert.deepEqual(log.asked, [2, 5, 0, 7])
})

test('what a transaction reads is not kept, because it may never commit', async () => {
  const { log, read } = logOf(5)
  const recent = createRecentChanges()
  const committed = committedChanges(read, recent, () => 5)
  assert.deepEqual(await committed(3), changes(4, 5))
  log.head = 6
  const inside = openChanges(read, recent)
  assert.deepEqual(await inside(3), changes(4, 6))
  assert.deepEqual(await inside(5), changes(6, 6))
  log.head = 5
  assert.deepEqual(await inside(3), changes(4, 5))
  assert.deepEqual(log.asked, [3, 5, 5, 5])
})

test('a log that does not reach back is told, and a gap starts anew', async () => {
  const { log, read } = logOf(5)
  const recent = createRecentChanges()
  const since = committedChanges(read, recent, () => log.head)
  await since(3)
  log.head = 9
  log.isLost = true
  assert.equal(await since(3), undefined)
  assert.equal(await openChanges(read, recent)(4), undefined)
  log.isLost = false
  assert.deepEqual(await since(8), changes(9, 9))
  assert.deepEqual(recent.after(4), { changes: [], upTo: 4 })
  assert.deepEqual(recent.after(8), { changes: changes(9, 9), upTo: 9 })
})

test('changes that reach further back replace those in memory', () => {
  const recent = createRecentChanges()
  recent.keep(6, changes(7, 8))
  recent.keep(2, changes(3, 8))
  assert.deepEqual(recent.after(6).changes, changes(7, 8), 'they reach no further')
  recent.keep(2, changes(3, 9))
  assert.deepEqual(recent.after(2), { changes: changes(3, 9), upTo: 9 })
  recent.keep(12, [])
  assert.deepEqual(recent.after(2), { changes: changes(3, 9), upTo: 9 })
})

test('memory is bounded, and the kept changes stay whole', async () => {
  const recent = createRecentChanges()
  for (let seq = 0; seq < 5000; seq += 10) recent.keep(seq, changes(seq + 1, seq + 10))
  assert.deepEqual(recent.after(10), { changes: [], upTo: 10 })
  assert.deepEqual(recent.after(4990).changes, changes(4991, 5000))
  let first = 4990
  while (recent.after(first - 1).changes.length > 0) first -= 1
  assert.ok(first > 3900 && first < 4600, String(first))
  assert.deepEqual(recent.after(first).changes, changes(first + 1, 5000))
})
