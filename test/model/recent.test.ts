/** Which values stay within the bound. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRecent, type Recent } from '../../src/model/recent.ts'

function filled(keys: string, bytesMax: number): Recent<string> {
  const recent = createRecent<string>(bytesMax)
  for (const key of keys) recent.set(key, key, 1)
  return recent
}

const keysOf = (recent: Recent<string>): string =>
  [...recent.entries()].map(([key]) => key).join('')

test('a value that was used stays for one more round', () => {
  const recent = filled('abc', 3)
  recent.get('a')
  recent.set('d', 'd', 1)
  assert.equal(keysOf(recent), 'cad')
  recent.set('e', 'e', 1)
  recent.set('f', 'f', 1)
  // It was not used since.
  assert.equal(keysOf(recent), 'def')
})

test('a new value is not the one that leaves, even if all others were used', () => {
  const recent = filled('abc', 3)
  for (const key of 'abc') recent.get(key)
  recent.set('d', 'd', 2)
  assert.equal(recent.get('d'), 'd')
  assert.equal(recent.size, 2)
})

test('the walk for a new value is bounded, however many were used', () => {
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`)
  const recent = createRecent<string>(keys.length)
  for (const key of keys) recent.set(key, key, 1)
  for (const key of keys) recent.get(key)
  recent.set('new', 'new', 1)
  const left = [...recent.entries()].map(([key]) => key)
  // The first sixteen have moved behind the others, and the next one has left.
  assert.deepEqual(left, [...keys.slice(17), ...keys.slice(0, 16), 'new'])
})

test('bytes are counted by value, also when one is replaced or dropped', () => {
  const recent = createRecent<string>(10)
  recent.set('a', 'first', 6)
  recent.set('a', 'second', 4)
  recent.set('b', 'b', 6)
  assert.equal(recent.size, 2)
  recent.delete('b')
  recent.delete('never there')
  recent.set('c', 'c', 6)
  assert.equal(recent.get('a'), 'second')
  recent.set('c', 'too large', 11)
  assert.equal(recent.get('c'), undefined)
  recent.clear()
  recent.set('d', 'd', 10)
  assert.equal(keysOf(recent), 'd')
})
