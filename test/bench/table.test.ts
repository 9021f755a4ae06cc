/** Lines of the table. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableHead, tableLine } from '../../bench/table.ts'

const columns = [
  { name: 'case', width: 8 },
  { name: 'µs', width: 6, digits: 1 },
  { name: 'MB', width: 4, digits: 0 },
]

test('text stands left, figures right and below their heads', () => {
  assert.equal(tableHead(columns), 'case          µs    MB')
  assert.equal(
    tableLine({ case: 'Encrypt', µs: 12.34, MB: 99.6 }, columns),
    'Encrypt     12.3   100',
  )
})

test('a figure that is absent or impossible is a dash', () => {
  assert.equal(tableLine({ case: 'Encrypt', µs: 1 / 0 }, columns), 'Encrypt        –     –')
})
