import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, dictionary, property, string } from 'fast-check'
import { canonicalContext } from '../../src/crypto/encryption-context.ts'

const contexts = dictionary(string({ unit: 'binary' }), string({ unit: 'binary' }))

/** Reads the canonical form back, trusting nothing of the code that wrote it. */
function read(bytes: Buffer): [string, string][] {
  assert.equal(bytes[0], 1)
  const pairs: [string, string][] = []
  let at = 5
  const next = (): string => {
    const length = bytes.readUInt32BE(at)
    at += 4 + length
    return bytes.subarray(at - length, at).toString()
  }
  for (let count = bytes.readUInt32BE(1); count > 0; count -= 1) pairs.push([next(), next()])
  assert.equal(at, bytes.length)
  return pairs
}

test('the order of pairs does not matter', () => {
  const one = canonicalContext({ a: '1', b: '2' })
  assert.deepEqual(one, canonicalContext({ b: '2', a: '1' }))
  assert.equal(one?.toString('hex'), '01000000020000000161000000013100000001620000000132')
})

test('pairs sort by UTF-8 bytes, where UTF-16 units would sort the other way', () => {
  const pairs = read(canonicalContext({ '\u{1f511}': 'x', '\uff5a': 'y' }) ?? assert.fail())
  assert.deepEqual(
    pairs.map(([key]) => key),
    ['\uff5a', '\u{1f511}'],
  )
})

test('an empty context has a form of its own', () => {
  assert.equal(canonicalContext({})?.toString('hex'), '0100000000')
})

test('a value beyond 65535 bytes keeps its length', () => {
  const long = 'x'.repeat(70_000)
  assert.deepEqual(read(canonicalContext({ k: long }) ?? assert.fail()), [['k', long]])
})

test('moving a character between key and value, or between pairs, changes the bytes', () => {
  const forms = [{ ab: 'c' }, { a: 'bc' }, { a: 'b', c: '' }, { a: '', bc: '' }, { abc: '' }]
  const texts = new Set(forms.map((form) => canonicalContext(form)?.toString('hex')))
  assert.equal(texts.size, forms.length)
})

test('text without a UTF-8 form has no canonical form', () => {
  assert.equal(canonicalContext({ a: '\ud800' }), undefined)
  assert.equal(canonicalContext({ '\udc00': 'a' }), undefined)
  assert.ok(canonicalContext({ a: '\ufffd' }))
})

test('the canonical form holds the whole context and nothing else', () => {
  check(
    property(contexts, (context) => {
      const pairs = read(canonicalContext(context) ?? assert.fail())
      assert.deepEqual(new Map(pairs), new Map(Object.entries(context)))
    }),
  )
})
