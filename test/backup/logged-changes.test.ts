/** Which changes the log has after a backup. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectChanges } from '../../src/backup/logged-changes.ts'

const position = 10

function changeOf(change: unknown): object {
  return { eventID: String(change), eventName: 'DisableKey', trent: { change } }
}

function restoreOf(lastLogged: unknown, lastNumber: unknown): object {
  return {
    eventID: 'r',
    eventName: 'RestoreBackup',
    serviceEventDetails: { lastLogged, lastNumber },
  }
}

function seen(...records: readonly unknown[]) {
  const log = collectChanges(position)
  for (const record of records) log.see(record)
  const { changes, ...rest } = log.end()
  return { ...rest, changes: changes.map(({ change }) => change) }
}

test('a gap in the numbers is what the log lacks', () => {
  const [a, b, c] = [changeOf(11), changeOf(12), changeOf(14)]
  assert.deepEqual(seen(), { changes: [], last: 0, missing: 0 })
  assert.deepEqual(seen(b, a, a), { changes: [11, 12], last: 12, missing: 0 })
  assert.deepEqual(seen(a, c), { changes: [11, 14], last: 14, missing: 2 })
})

test('a log that ends before the backup says where, and has nothing of what followed', () => {
  assert.deepEqual(seen(changeOf(9), changeOf(7)), { changes: [], last: 9, missing: 0 })
  assert.deepEqual(seen(changeOf(3), restoreOf(3, 8)), { changes: [], last: 8, missing: 0 })
  assert.deepEqual(seen(changeOf(9), changeOf(10)), { changes: [], last: 10, missing: 0 })
})

test('numbers that a restore has skipped or used are not missing', () => {
  const first = [changeOf(11), changeOf(12)]
  const restored = restoreOf(12, 1000)
  assert.deepEqual(seen(...first, restored), {
    changes: [11, 12],
    last: 1000,
    missing: 0,
  })
  assert.deepEqual(seen(...first, restored, changeOf(1001)).missing, 0)
  assert.deepEqual(seen(...first, restored, changeOf(1003)).missing, 2)
  // The journal of the first machine is lost: what it had is missing.
  assert.deepEqual(seen(restored, changeOf(1001)).missing, 2)
  // A part of its end was found later, and a second restore has counted on.
  const second = restoreOf(14, 2000)
  assert.deepEqual(seen(...first, changeOf(14), restored, changeOf(1001), second).missing, 0)
  assert.deepEqual(seen(...first, restored, restoreOf(1003, 2000)).missing, 3)
})

test('a number that no database reaches is not believed', () => {
  for (const number of [2 ** 53 - 1, 2 ** 53, -1, 1.5, '11', null]) {
    const { changes, last, missing } = seen(changeOf(11), changeOf(number))
    assert.deepEqual({ changes, last, missing }, { changes: [11], last: 11, missing: 0 })
    const restored = seen(changeOf(11), restoreOf(11, number), restoreOf(number, 5))
    assert.deepEqual([restored.last, restored.missing], [11, 0])
  }
})
