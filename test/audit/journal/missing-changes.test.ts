/** The search for changes that the journal holds and the database lacks. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchMissingChanges } from '../../../src/audit/journal/missing-changes.ts'
import { lacks } from '../../../src/store/stored-history.ts'
import type { Frame } from '../../../src/audit/journal/frame.ts'

/** Frames of records that name these changes. */
function search(stored: number, changes: readonly number[]) {
  const none = { oldest: undefined, ids: new Map(), skipped: [], accepted: new Set<string>() }
  const history = { head: stored, ...none }
  const found = searchMissingChanges(stored, (change) => lacks(history, change))
  for (const change of changes) {
    const text = JSON.stringify({ eventID: 'e', trent: { change } })
    found.see({
      kind: 'record',
      payload: Buffer.concat([Buffer.alloc(16), Buffer.from(text)]),
    } as Frame)
  }
  return found.found()
}

test('changes above the last one of the database are missing', () => {
  const { records, first, last, stored } = search(5, [3, 5, 6, 8]) ?? {}
  assert.deepEqual({ records, first, last, stored }, { records: 2, first: 6, last: 8, stored: 5 })
  assert.equal(search(8, [6, 8]), undefined)
})

test('a forged record cannot use up the change numbers', () => {
  assert.equal(search(5, [Number.MAX_SAFE_INTEGER]), undefined)
  assert.equal(search(5, [6, Number.MAX_SAFE_INTEGER])?.last, 6)
})
