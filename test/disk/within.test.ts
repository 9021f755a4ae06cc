/** Whether a path lies in a directory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWithin } from '../../src/disk/within.ts'

test('a path lies in a directory, or beside it with a name that is alike', () => {
  for (const inside of ['/data', '/data/', '/data/seal.key', '/data/..keys/a', '/data/a/../b']) {
    assert.equal(isWithin('/data', inside), true, inside)
  }
  for (const outside of ['/', '/data-keys', '/data.key', '/..data', '/keys/data', '/data/../b']) {
    assert.equal(isWithin('/data', outside), false, outside)
  }
})
