import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assert as check,
  constant,
  dictionary,
  integer,
  oneof,
  property,
  string,
  uint8Array,
} from 'fast-check'
import { canonicalRow } from '../../src/crypto/canonical.ts'

const value = oneof(string(), integer(), uint8Array(), constant(null))
const row = dictionary(string(), value)

test('the order of columns does not matter', () => {
  assert.deepEqual(canonicalRow('t', { a: 1, b: 'x' }), canonicalRow('t', { b: 'x', a: 1 }))
})

test('a value of another type with the same text is another row', () => {
  const rows = [{ a: 1 }, { a: '1' }, { a: Buffer.from('1') }, { a: null }, { a: '' }, {}]
  const texts = new Set(rows.map((columns) => canonicalRow('t', columns).toString('hex')))
  assert.equal(texts.size, rows.length)
})

test('two rows have the same bytes only when they are the same row', () => {
  const normal = (table: string, columns: Readonly<Record<string, unknown>>): unknown => [
    table,
    Object.entries(columns)
      .map(([name, item]) =>
        item instanceof Uint8Array ? `${name}=${Buffer.from(item).toString('hex')}` : [name, item],
      )
      .map((entry) => JSON.stringify(entry))
      .sort(),
  ]
  check(
    property(string(), row, string(), row, (tableA, a, tableB, b) => {
      const same = canonicalRow(tableA, a).equals(canonicalRow(tableB, b))
      const equal = JSON.stringify(normal(tableA, a)) === JSON.stringify(normal(tableB, b))
      assert.equal(same, equal)
    }),
  )
})
