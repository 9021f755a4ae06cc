import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readStrictJson } from '../../src/policy/strict-json.ts'
import { printedSeed } from './seed.ts'

test('valid JSON reads as JSON.parse reads it', () => {
  const property = fc.property(fc.json(), fc.nat(3), (text, spaces) => {
    const spaced = JSON.stringify(JSON.parse(text), undefined, spaces)
    const read = readStrictJson(spaced, 100)
    assert.ok(read.ok)
    // Objects have no prototype.
    assert.equal(JSON.stringify(read.value), JSON.stringify(JSON.parse(text)))
  })
  fc.assert(property, { seed: printedSeed('strict json') })
})

const refused: readonly (readonly [string, 'syntax' | 'depth' | 'duplicate'])[] = [
  ['', 'syntax'],
  ['{', 'syntax'],
  ['{"a":1,}', 'syntax'],
  ['"never ends', 'syntax'],
  ['"ends in a backslash\\', 'syntax'],
  ['{"a":1,"a":2}', 'duplicate'],
  ['{"a":1,"b":{"c":1,"c":1}}', 'duplicate'],
  ['{"a":1,"\\u0061":2}', 'duplicate'],
  ['{"a" \n\t: 1, "a"\r:2}', 'duplicate'],
  ['[[[[1]]]]', 'depth'],
  ['['.repeat(30_000), 'depth'],
]
for (const [text, why] of refused) {
  test(`JSON \`${text.slice(0, 30)}\` is refused: ${why}`, () => {
    assert.deepEqual(readStrictJson(text, 3), { ok: false, why })
  })
}

test('the same member in two objects, and a value that looks like a member, are no duplicates', () => {
  assert.equal(readStrictJson('[{"a":"a"},{"a":["a","a"]}]', 3).ok, true)
  assert.equal(readStrictJson('{"a":"\\"a\\":1","b":"a"}', 3).ok, true)
})

test('a member named __proto__ stays a member', () => {
  const result = readStrictJson('{"__proto__":{"x":1}}', 3)
  assert.ok(result.ok)
  assert.deepEqual(Object.keys(result.value as object), ['__proto__'])
})

test('a lone surrogate that is escaped is kept, as JSON.parse keeps it', () => {
  assert.deepEqual(readStrictJson('"\\ud800"', 3), { ok: true, value: '\ud800' })
})
