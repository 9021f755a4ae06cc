/** Which changes a database lacks, by number and id. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lacks, storedHistory } from '../../src/store/stored-history.ts'

const row = (seq: number, id = 'x', kind = 'keys') => ({
  seq,
  change_id: `id-${seq}`,
  kind,
  id,
})

/** The log has 10, 11, a gap up to 20, and 21. */
const history = storedHistory({
  heads: [{ seq: 21 }],
  firsts: [{ seq: 10 }],
  log: [row(10), row(11), row(20, 'after/11', 'everything'), row(21)],
  accepted: [{ change_id: 'accepted' }],
})

test('a change is there if the log has its id at its number', () => {
  assert.equal(lacks(history, { seq: 11, changeId: 'id-11' }), false)
  assert.equal(lacks(history, { seq: 11, changeId: 'another' }), true)
  assert.equal(lacks(history, { seq: 21, changeId: 'id-11' }), true)
})

test('a change above the last one is lacking, also without an id', () => {
  assert.equal(lacks(history, { seq: 22, changeId: 'a' }), true)
  assert.equal(lacks(history, { seq: 22 }), true)
  assert.equal(lacks(history, { seq: Number.MAX_SAFE_INTEGER, changeId: 'a' }), false)
})

test('what the log cannot tell, what was skipped and what was accepted is not lacking', () => {
  assert.equal(lacks(history, { seq: 9, changeId: 'older than the log' }), false)
  assert.equal(lacks(history, { seq: 12, changeId: 'skipped' }), false)
  assert.equal(lacks(history, { seq: 20, changeId: 'skipped' }), false)
  assert.equal(lacks(history, { seq: 21, changeId: 'accepted' }), false)
  assert.equal(lacks(history, { seq: 21 }), false)
  assert.equal(lacks(history, {}), false)
})
